// The resource as a Go author would declare it: the fields that the controller's users set and see, in typed structs.
package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "athanor.dev", Version: "v1alpha1"}

type SecretKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type ValueFrom struct {
	SecretKeyRef *SecretKey `json:"secretKeyRef,omitempty"`
}

type Database struct {
	Host         string     `json:"host,omitempty"`
	Port         int32      `json:"port,omitempty"`
	Name         string     `json:"name,omitempty"`
	User         string     `json:"user,omitempty"`
	PasswordFrom *ValueFrom `json:"passwordFrom,omitempty"`
	Schema       string     `json:"schema,omitempty"`
	VersionTable string     `json:"versionTable,omitempty"`
}

type ConfigMapName struct {
	Name string `json:"name"`
}

type Source struct {
	Path       string          `json:"path,omitempty"`
	ConfigMaps []ConfigMapName `json:"configMaps,omitempty"`
}

type Spec struct {
	Database       Database `json:"database"`
	Source         Source   `json:"source"`
	TargetRevision string   `json:"targetRevision,omitempty"`
	Suspend        bool     `json:"suspend,omitempty"`
	DryRun         bool     `json:"dryRun,omitempty"`
}

type SourceStatus struct {
	Kind      string `json:"kind,omitempty"`
	Revision  string `json:"revision,omitempty"`
	FirstSeenTime string `json:"firstSeenTime,omitempty"`
}

type Status struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Phase              string             `json:"phase,omitempty"`
	CurrentRevisions   []string           `json:"currentRevisions,omitempty"`
	CurrentRevision    string             `json:"currentRevision,omitempty"`
	TargetRevision     string             `json:"targetRevision,omitempty"`
	ResolvedRevisions  []string           `json:"resolvedRevisions,omitempty"`
	PendingCount       int64              `json:"pendingCount,omitempty"`
	Source             *SourceStatus      `json:"source,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type DatabaseMigration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec,omitempty"`
	Status            Status `json:"status,omitempty"`
}

type DatabaseMigrationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []DatabaseMigration `json:"items"`
}

func (in *DatabaseMigration) DeepCopyInto(out *DatabaseMigration) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	if from := in.Spec.Database.PasswordFrom; from != nil {
		out.Spec.Database.PasswordFrom = &ValueFrom{}
		if from.SecretKeyRef != nil {
			key := *from.SecretKeyRef
			out.Spec.Database.PasswordFrom.SecretKeyRef = &key
		}
	}
	out.Spec.Source.ConfigMaps = append([]ConfigMapName(nil), in.Spec.Source.ConfigMaps...)
	out.Status.CurrentRevisions = append([]string(nil), in.Status.CurrentRevisions...)
	out.Status.ResolvedRevisions = append([]string(nil), in.Status.ResolvedRevisions...)
	if in.Status.Source != nil {
		source := *in.Status.Source
		out.Status.Source = &source
	}
	out.Status.Conditions = append([]metav1.Condition(nil), in.Status.Conditions...)
}

func (in *DatabaseMigration) DeepCopyObject() runtime.Object {
	out := &DatabaseMigration{}
	in.DeepCopyInto(out)
	return out
}

func (in *DatabaseMigrationList) DeepCopyObject() runtime.Object {
	out := &DatabaseMigrationList{TypeMeta: in.TypeMeta, ListMeta: *in.ListMeta.DeepCopy()}
	for i := range in.Items {
		out.Items = append(out.Items, DatabaseMigration{})
		in.Items[i].DeepCopyInto(&out.Items[i])
	}
	return out
}
