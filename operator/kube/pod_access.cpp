#include "operator/kube/cluster_access.hpp"
