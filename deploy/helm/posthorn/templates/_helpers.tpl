{{- define "posthorn.labels" -}}
app.kubernetes.io/part-of: posthorn
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "posthorn.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Variables of a process: the settings it reads, then its secrets. Arguments: root, config, secrets. */}}
{{- define "posthorn.env" -}}
{{- $root := .root }}
{{- range .config }}
{{- if hasKey $root.Values.config . }}
- name: {{ . }}
  valueFrom:
    configMapKeyRef:
      name: {{ $root.Release.Name }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- range .secrets }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $root.Values.existingSecret }}
      key: {{ . }}
      optional: {{ ne . "DATABASE_URL" }}
{{- end }}
{{- end }}

{{- define "posthorn.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "posthorn.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
