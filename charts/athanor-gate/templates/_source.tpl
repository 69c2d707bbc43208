{{- /*
The revision files of the application chart as JSON, {"NAME": "TEXT", …}: the files that match `migrations.files` and have the name of a
revision file. The operator uses the same rule for names.
*/}}
{{- define "athanor-gate.files" -}}
{{- $files := dict }}
{{- $glob := .Values.migrations.files | default "migrations/versions/*" }}
{{- range $path, $bytes := .Files.Glob $glob }}
{{- $name := base $path }}
{{- if or (and (hasSuffix ".sql" $name) (not (hasPrefix "_" $name))) (and (hasSuffix ".py" $name) (not (hasPrefix "__" $name))) }}
{{- $text := toString $bytes }}
{{- if hasKey $files $name }}
{{- fail (printf "athanor-gate: two files are named %s; a ConfigMap has no folders" $name) }}
{{- end }}
{{- if not (regexMatch "^[-._a-zA-Z0-9]{1,253}$" $name) }}
{{- fail (printf "athanor-gate: %s: a ConfigMap key may contain only letters, digits, '-', '_' and '.'" $path) }}
{{- end }}
{{- if gt (len $text) 900000 }}
{{- fail (printf "athanor-gate: %s has %d bytes, but a ConfigMap has room for 900,000 bytes of revisions: use spec.source.git or fluxRef" $path (len $text)) }}
{{- end }}
{{- if ne (sha256sum $text) (sha256sum (get (fromJson (printf "{\"text\":%s}" (toJson $text))) "text")) }}
{{- fail (printf "athanor-gate: %s is not UTF-8" $path) }}
{{- end }}
{{- $_ := set $files $name $text }}
{{- end }}
{{- end }}
{{- if not $files }}
{{- fail (printf "athanor-gate: the chart has no revision files at %s (migrations.files; see .helmignore, too)" $glob) }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{- /* spec.source.revision: the output of `LC_ALL=C sha256sum *.sql | sha256sum` in the folder of the files. */}}
{{- define "athanor-gate.digest" -}}
{{- $list := "" }}
{{- range $name, $text := include "athanor-gate.files" . | fromJson }}
{{- $list = printf "%s%s  %s\n" $list (sha256sum $text) $name }}
{{- end }}
{{- printf "sha256:%s" (sha256sum $list) }}
{{- end }}

{{- /* The target revision: a full id that is in one of the files. */}}
{{- define "athanor-gate.target" -}}
{{- $target := .Values.migrations.targetRevision | toString }}
{{- if or (not .Values.migrations.targetRevision) (not (regexMatch "^[^@:+\\-\\s,]{1,255}$" $target)) (has $target (list "head" "heads" "base" "current")) }}
{{- fail "athanor-gate: migrations.targetRevision must be a revision id, in quotes: `head` changes with each release, and pods would start before their revision is applied" }}
{{- end }}
{{- $found := false }}
{{- $quoted := regexQuoteMeta $target }}
{{- range $name, $text := include "athanor-gate.files" . | fromJson }}
{{- if or (regexMatch (printf "(?mi)^--[ \\t]*Revision:[ \\t]*%s[ \\t]*\\r?$" $quoted) $text) (regexMatch (printf "(?m)^revision[^=\\n]*=[ \\t]*['\"]%s['\"]" $quoted) $text) }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- if not $found }}
{{- fail (printf "athanor-gate: migrations.targetRevision: no revision file has the id %s (write the full id)" $target) }}
{{- end }}
{{- $target }}
{{- end }}

{{- /*
The ConfigMaps as JSON, {"NAME": {"FILE": "TEXT", …}, …}. Each name contains a digest of the content, so a release adds ConfigMaps and
never changes one. Files are added in the order of their names, so a chart that only adds files keeps the ConfigMaps that are full.
*/}}
{{- define "athanor-gate.configMaps" -}}
{{- $prefix := include "athanor-gate.name" . | trunc 220 | trimSuffix "-" }}
{{- $maps := dict }}
{{- $chunk := dict }}
{{- $size := 0 }}
{{- $files := include "athanor-gate.files" . | fromJson }}
{{- range $name, $text := $files }}
{{- $here := add (len $text) (len $name) }}
{{- if and $chunk (gt (add $size $here) 900000) }}
{{- $_ := set $maps (printf "%s-migrations-%s" $prefix (toJson $chunk | sha256sum | trunc 10)) $chunk }}
{{- $chunk = dict }}
{{- $size = 0 }}
{{- end }}
{{- $_ := set $chunk $name $text }}
{{- $size = add $size $here }}
{{- end }}
{{- $_ := set $maps (printf "%s-migrations-%s" $prefix (toJson $chunk | sha256sum | trunc 10)) $chunk }}
{{- if gt (len $maps) 16 }}
{{- fail (printf "athanor-gate: the revision files need %d ConfigMaps, but a source may have only 16: use spec.source.git or fluxRef" (len $maps)) }}
{{- end }}
{{- toJson $maps }}
{{- end }}
