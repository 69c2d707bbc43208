{{- define "athanor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "athanor.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "athanor.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "athanor.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "athanor.selectorLabels" -}}
app.kubernetes.io/name: {{ include "athanor.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "athanor.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "athanor.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: athanor
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "athanor.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "athanor.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "athanor.leaseName" -}}
{{- default (include "athanor.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{- /* A name without a registry refers to Docker Hub, where there is no image of ours. */}}
{{- define "athanor.hasRegistry" -}}
{{- if regexMatch "^(localhost|[^/]*[.:][^/]*)/" . }}true{{ end }}
{{- end }}

{{- define "athanor.repository" -}}
{{- $repository := .Values.image.repository }}
{{- if not $repository }}
{{- fail "image.repository is required: the repository you pushed the image of `make image` to, for example registry.example.org/athanor" }}
{{- end }}
{{- if (.Values.global).imageRegistry }}
{{- printf "%s/%s" (trimSuffix "/" .Values.global.imageRegistry) (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $repository "") }}
{{- else if include "athanor.hasRegistry" $repository }}
{{- $repository }}
{{- else }}
{{- fail (printf "image.repository has no registry, so %s would be pulled from docker.io: put the registry before it, or set global.imageRegistry" $repository) }}
{{- end }}
{{- end }}

{{- define "athanor.image" -}}
{{- $repository := include "athanor.repository" . }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "athanor.jobImage" -}}
{{- if not .Values.jobs.image }}
{{- include "athanor.image" . }}
{{- else if include "athanor.hasRegistry" .Values.jobs.image }}
{{- .Values.jobs.image }}
{{- else }}
{{- fail (printf "jobs.image has no registry, so %s would be pulled from docker.io: put the registry before it" .Values.jobs.image) }}
{{- end }}
{{- end }}

{{- /* The watched namespaces, as JSON; [] means all. */}}
{{- define "athanor.namespaces" -}}
{{- if eq .Values.watch.scope "Cluster" }}[]
{{- else if eq .Values.watch.scope "OwnNamespace" }}{{ list .Release.Namespace | toJson }}
{{- else }}{{ .Values.watch.namespaces | uniq | sortAlpha | toJson }}
{{- end }}
{{- end }}

{{- /* Checks that values.schema.json cannot express. */}}
{{- define "athanor.check" -}}
{{- if and (not .Values.leaderElection.enabled) (gt (int .Values.replicaCount) 1) }}
{{- fail "replicaCount must be 1 without leaderElection.enabled" }}
{{- end }}
{{- if and (eq .Values.watch.scope "Namespaces") (not .Values.watch.namespaces) }}
{{- fail "watch.scope Namespaces needs watch.namespaces" }}
{{- end }}
{{- if and (ne .Values.watch.scope "Cluster") .Values.watch.namespaceSelector }}
{{- fail (printf "watch.namespaceSelector needs watch.scope Cluster, not %s" .Values.watch.scope) }}
{{- end }}
{{- if and (ne .Values.watch.scope "Namespaces") .Values.watch.namespaces }}
{{- fail (printf "watch.namespaces needs watch.scope Namespaces, not %s" .Values.watch.scope) }}
{{- end }}
{{- if and .Values.backup.existingClaim .Values.backup.volume }}
{{- fail "only one of backup.existingClaim and backup.volume may be set" }}
{{- end }}
{{- end }}

{{- /* The operator's permissions in a watched namespace. */}}
{{- define "athanor.watchRules" -}}
- apiGroups: [athanor.dev]
  resources: [databasemigrations, migrationapprovals]
  verbs: [get, list, watch]
- apiGroups: [athanor.dev]
  resources: [databasemigrations/status]
  verbs: [update]
# Only the Secrets that a resource names; they are never listed.
- apiGroups: ['']
  resources: [secrets]
  verbs: [get]
# Only the ConfigMaps that a resource names are read. The watch, of metadata only, reports changes.
- apiGroups: ['']
  resources: [configmaps]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.jobs.enabled }}
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, delete, get, list, watch]
# The termination message of a Job's pod is its result.
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list]
# A Job gets its files in ConfigMaps of its own, which Kubernetes deletes with the Job.
- apiGroups: ['']
  resources: [configmaps]
  verbs: [create]
# Lets a Job block the deletion of its owner where OwnerReferencesPermissionEnforcement is enabled.
- apiGroups: [athanor.dev]
  resources: [databasemigrations/finalizers]
  verbs: [update]
{{- end }}
{{- if .Values.databaseAuth.enabled }}
- apiGroups: ['']
  resources: [serviceaccounts]
  verbs: [get]
# A token of a ServiceAccount that a resource names, for the identity service of a cloud.
- apiGroups: ['']
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
{{- if .Values.policy.publishPlans }}
# The SQL of plans that wait for an approval, in ConfigMaps that the resource owns.
- apiGroups: ['']
  resources: [configmaps]
  verbs: [create, delete]
{{- end }}
{{- if .Values.flux.enabled }}
- apiGroups: [source.toolkit.fluxcd.io]
  resources: [buckets, gitrepositories, ocirepositories]
  verbs: [get, list, watch]
{{- end }}
{{- end }}

{{- /* Approvals count only while the admission policy that verifies their names is in force. */}}
{{- define "athanor.admissionRules" -}}
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicies, validatingadmissionpolicybindings]
  resourceNames: [migrationapprovals.athanor.dev]
  verbs: [get]
{{- end }}

{{- define "athanor.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
{{- end }}
{{- with .Values.runAsGroup }}
runAsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}
