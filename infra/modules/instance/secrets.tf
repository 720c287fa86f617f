# Two secrets that must not be one. The signing key rotates: two versions of it are valid at once, the
# first signs and the second verifies only (docs/runbook.md). The identity key never does: accounts and
# ids are made with it, with another one nobody's account is found again.

locals {
  secrets = toset(["signing", "identity"])
  secret_readers = {
    for pair in flatten([for name, function in var.functions : [for secret in function.secrets : { function = name, secret = secret }]]) :
    "${pair.function}:${pair.secret}" => pair
  }
  secret_variables = {
    signing = concat(
      [{ name = "ENVCTL_SIGNING_KEY", version = google_secret_manager_secret_version.signing[var.instance.signing_keys[0]].version }],
      [for key in slice(var.instance.signing_keys, 1, length(var.instance.signing_keys)) :
      { name = "ENVCTL_PREVIOUS_SIGNING_KEY", version = google_secret_manager_secret_version.signing[key].version }],
    )
    identity = [{ name = "ENVCTL_IDENTITY_KEY", version = google_secret_manager_secret_version.identity.version }]
  }
}

resource "google_secret_manager_secret" "this" {
  for_each            = local.secrets
  project             = local.project
  secret_id           = "${local.name}-${each.key}"
  labels              = local.labels
  deletion_protection = !var.instance.disposable
  replication {
    auto {}
  }
}

resource "random_bytes" "signing" {
  for_each = toset(var.instance.signing_keys)
  length   = 32
}

resource "google_secret_manager_secret_version" "signing" {
  for_each    = toset(var.instance.signing_keys)
  secret      = "projects/${local.project}/secrets/${google_secret_manager_secret.this["signing"].secret_id}"
  secret_data = random_bytes.signing[each.key].base64
  lifecycle {
    create_before_destroy = true # a key goes only after no function names it any more
  }
}

resource "random_bytes" "identity" {
  length = 32
}

resource "google_secret_manager_secret_version" "identity" {
  secret      = "projects/${local.project}/secrets/${google_secret_manager_secret.this["identity"].secret_id}"
  secret_data = random_bytes.identity.base64
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = local.secret_readers
  project   = local.project
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${local.function_emails[each.value.function]}"
}
