// A minimal controller over DatabaseMigration resources, written with controller-runtime as its documentation teaches: what the
// operator's memory and processor time are held against in `make bench`.
//
// It caches typed objects without their managedFields, elects a leader, serves metrics, and has 8 workers. A reconcile reads
// the object from the cache and checks whether its status is of its generation; it writes nothing. With -look it also does what
// the operator does for a resource at its target: reads the password from the Secret, connects to the database, reads the
// version table.
package main

import (
	"context"
	"flag"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type reconciler struct {
	client.Client
	secrets client.Reader // past the cache: Secrets are read by name, never listed
	look    bool
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var migration DatabaseMigration
	if err := r.Get(ctx, request.NamespacedName, &migration); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if migration.Status.ObservedGeneration != migration.Generation {
		log.FromContext(ctx).V(1).Info("not observed yet")
	}
	if !r.look || migration.Spec.Suspend {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, r.lookAt(ctx, &migration)
}

func (r *reconciler) lookAt(ctx context.Context, migration *DatabaseMigration) error {
	database := migration.Spec.Database
	var secret corev1.Secret
	reference := database.PasswordFrom.SecretKeyRef
	if err := r.secrets.Get(ctx, client.ObjectKey{Namespace: migration.Namespace, Name: reference.Name}, &secret); err != nil {
		return err
	}
	place := url.URL{Scheme: "postgresql", User: url.UserPassword(database.User, string(secret.Data[reference.Key])),
		Host: database.Host + ":" + strconv.Itoa(int(database.Port)), Path: database.Name, RawQuery: "sslmode=disable"}
	connection, err := pgx.Connect(ctx, place.String())
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	var revision string
	table := pgx.Identifier{database.Schema, database.VersionTable}.Sanitize()
	return connection.QueryRow(ctx, "SELECT version_num FROM "+table).Scan(&revision)
}

func main() {
	flags := flag.NewFlagSet(os.Args[0], flag.ExitOnError) // controller-runtime has a -kubeconfig among the global ones
	kubeconfig := flags.String("kubeconfig", "", "where the API server is")
	listen := flags.String("listen", ":8080", "address of the metrics")
	resync := flags.Duration("resync", 10*time.Hour, "every object is reconciled at least this often")
	look := flags.Bool("look", false, "connect to the databases too")
	_ = flags.Parse(os.Args[1:])
	ctrl.SetLogger(zap.New())
	if err := run(*kubeconfig, *listen, *resync, *look); err != nil {
		ctrl.Log.Error(err, "the controller ended")
		os.Exit(1)
	}
}

func run(kubeconfig, listen string, resync time.Duration, look bool) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 500, 1000 // what the operator allows itself
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	scheme.AddKnownTypes(groupVersion, &DatabaseMigration{}, &DatabaseMigrationList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       server.Options{BindAddress: listen},
		Cache:                         cache.Options{SyncPeriod: &resync, DefaultTransform: cache.TransformStripManagedFields()},
		LeaderElection:                true,
		LeaderElectionID:              "controller-runtime",
		LeaderElectionNamespace:       "default",
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(manager).For(&DatabaseMigration{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 8}).
		Complete(&reconciler{Client: manager.GetClient(), secrets: manager.GetAPIReader(), look: look})
	if err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
