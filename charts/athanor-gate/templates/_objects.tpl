{{- /* Name of the DatabaseMigration: migrations.name, otherwise the release's name, followed by the chart's name unless it contains that. */}}
{{- define "athanor-gate.name" -}}
{{- $release := .Release.Name }}
{{- if not (contains .Chart.Name $release) }}
{{- $release = printf "%s-%s" $release .Chart.Name }}
{{- end }}
{{- .Values.migrations.name | default $release | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "athanor-gate.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: migrations
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.migrations.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /*
ConfigMaps and DatabaseMigration. Usage in a template of the application chart: {{ include "athanor-gate.objects" . }}
*/}}
{{- define "athanor-gate.objects" -}}
{{- $root := . }}
{{- if not .Values.migrations.database }}
{{- fail "athanor-gate: migrations.database is missing: spec.database of the DatabaseMigration" }}
{{- end }}
{{- $names := list }}
{{- range $name, $files := include "athanor-gate.configMaps" . | fromJson }}
{{- $names = append $names (dict "name" $name) }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "athanor-gate.labels" $root | nindent 4 }}
immutable: true
data:
  {{- range $file, $text := $files }}
  {{ $file }}: {{ toJson $text }}
  {{- end }}
{{- end }}
---
apiVersion: athanor.dev/v1alpha1
kind: DatabaseMigration
metadata:
  name: {{ include "athanor-gate.name" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "athanor-gate.labels" . | nindent 4 }}
  {{- with .Values.migrations.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- $spec := dict "policy" (dict "downgrade" "Keep") }}
  {{- $spec = mustMergeOverwrite $spec (deepCopy (.Values.migrations.spec | default dict)) }}
  {{- $_ := set $spec "database" .Values.migrations.database }}
  {{- $_ := set $spec "source" (dict "configMaps" $names "revision" (include "athanor-gate.digest" .)) }}
  {{- $_ := set $spec "targetRevision" (include "athanor-gate.target" .) }}
  {{- toYaml $spec | nindent 2 }}
{{- end }}
