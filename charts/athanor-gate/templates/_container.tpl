{{- /* Renders an environment variable from a plain value or a reference in spec.database; empty if neither is set. */}}
{{- define "athanor-gate.variable" -}}
{{- $plain := get .database .field }}
{{- $reference := get .database (printf "%sFrom" .field) }}
{{- if $reference }}
{{- if not $reference.secretKeyRef }}
{{- fail (printf "athanor-gate: migrations.database.%sFrom is not a secretKeyRef, and a pod cannot read the operator's files: set migrations.gate.env" .field) }}
{{- end }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      {{- toYaml $reference.secretKeyRef | nindent 6 }}
{{- else if $plain }}
- name: {{ .name }}
  value: {{ $plain | toString | quote }}
{{- end }}
{{- end }}

{{- /* TLS of the waiting pod's connection, as the operator and its Jobs have it: verify-full unless sslMode or the URL says otherwise, and no
readable password for a server that is not verified. The parameters of a URL take precedence over these variables. */}}
{{- define "athanor-gate.tls" -}}
{{- $mode := .sslMode | default (regexFind "sslmode=[a-z-]+" (.url | default "") | trimPrefix "sslmode=") | default "verify-full" }}
- name: PGSSLMODE
  value: {{ $mode | quote }}
{{- if and (eq $mode "verify-full") (not .tls) }}
- name: PGSSLROOTCERT
  value: system
{{- end }}
{{- if .requireAuth }}
- name: PGREQUIREAUTH
  value: {{ .requireAuth | quote }}
{{- else }}
- name: ATHANOR_UNVERIFIED_REQUIRE_AUTH
  value: "!password,!md5"
{{- end }}
{{- end }}

{{- /* Environment variables for the waiting pod's connection: migrations.gate.env, otherwise from migrations.gate.database, otherwise from
migrations.database. */}}
{{- define "athanor-gate.env" -}}
{{- $gate := .Values.migrations.gate | default dict }}
{{- if $gate.env }}
{{- toYaml $gate.env }}
{{- else }}
{{- $database := $gate.database | default .Values.migrations.database }}
{{- if not (or $database.url $database.urlFrom $database.host $database.hostFrom) }}
{{- fail "athanor-gate: migrations.gate.database specifies no database: url, urlFrom, host or hostFrom" }}
{{- end }}
{{- if and $database.tls (not $gate.volumeMounts) }}
{{- fail "athanor-gate: migrations.database.tls: mount the certificate into the gate (migrations.gate.volumeMounts) and name the file in migrations.gate.env (PGSSLROOTCERT)" }}
{{- end }}
{{- range $name, $field := dict "DATABASE_URL" "url" "ATHANOR_DATABASE_HOST" "host" "ATHANOR_DATABASE_PORT" "port" "ATHANOR_DATABASE_NAME" "name" "ATHANOR_DATABASE_USER" "user" "ATHANOR_DATABASE_PASSWORD" "password" }}
{{- include "athanor-gate.variable" (dict "database" $database "field" $field "name" $name) }}
{{- end }}
{{- include "athanor-gate.tls" $database }}
{{- end }}
{{- end }}

{{- /*
The init container that waits for this release's revision or a descendant. Usage in a pod's spec:

      initContainers:
        {{- include "athanor-gate.initContainer" . | nindent 8 }}
*/}}
{{- define "athanor-gate.initContainer" -}}
{{- $gate := .Values.migrations.gate | default dict }}
{{- $database := .Values.migrations.database -}}
- name: {{ $gate.name | default "wait-for-schema" }}
  image: {{ required "athanor-gate: migrations.gate.image is missing: the image of Athanor, with tag or digest" $gate.image | quote }}
  {{- with $gate.imagePullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  command: [/usr/local/bin/athanor]
  args:
    - wait
    - --revision={{ include "athanor-gate.target" . }}
    - --timeout={{ $gate.timeout | default "10m" }}
    {{- with $database.versionTable }}
    - --set=version_table={{ . }}
    {{- end }}
    {{- with $database.schema }}
    - --set=version_table_schema={{ . }}
    {{- end }}
    {{- range $gate.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  env:
    {{- include "athanor-gate.env" . | trim | nindent 4 }}
  {{- with $gate.volumeMounts }}
  volumeMounts:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml ($gate.resources | default (dict "requests" (dict "cpu" "10m" "memory" "32Mi") "limits" (dict "memory" "128Mi"))) | nindent 4 }}
  securityContext:
    {{- toYaml ($gate.securityContext | default (dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "capabilities" (dict "drop" (list "ALL")) "seccompProfile" (dict "type" "RuntimeDefault"))) | nindent 4 }}
{{- end }}

{{- /* For NOTES.txt of the application chart. */}}
{{- define "athanor-gate.notes" -}}
Pods wait until the database has revision {{ include "athanor-gate.target" . }}. What it waits for:

  kubectl -n {{ .Release.Namespace }} get dbm {{ include "athanor-gate.name" . }} -o wide
  kubectl -n {{ .Release.Namespace }} logs deployment/… -c {{ (.Values.migrations.gate | default dict).name | default "wait-for-schema" }}

A hook of this release (pre-install, pre-upgrade) that waits for the DatabaseMigration never finishes: Helm creates the release's objects
after its hooks. Wait in a pod, as this chart does, or make ConfigMap and DatabaseMigration hooks too.
{{- end }}
