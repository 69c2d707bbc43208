#include "operator/kube/rest_transport.hpp"
