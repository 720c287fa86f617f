locals {
  function_emails = {
    for name, account in google_service_account.function :
    name => "${account.account_id}@${account.project}.iam.gserviceaccount.com"
  }
  # Who may invoke which function: the names in the function map, as accounts.
  callers = { gateway = local.gateway_email, queue = local.queue_email, sweep = local.sweep_email }
  invokers = {
    for pair in flatten([for name, function in var.functions : [for caller in function.invoked_by : { function = name, caller = caller }]]) :
    "${pair.function}:${pair.caller}" => pair
  }
}

resource "google_service_account" "function" {
  for_each     = var.functions
  project      = local.project
  account_id   = "${local.name}-${each.value.account}"
  display_name = "envctl ${var.team}: function ${each.key}"
}

resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124:API Gateway's calls come from outside; who may call is IAM's, and no one is everybody
  for_each = var.functions
  project  = local.project
  location = local.region
  name     = "${local.name}-${each.key}"
  labels   = local.labels

  build_config {
    runtime           = each.value.runtime
    entry_point       = each.key
    service_account   = var.build.account
    docker_repository = var.build.repository
    automatic_update_policy {} # of the base image, without a deployment
    source {
      storage_source {
        bucket = var.bundle.bucket
        object = var.bundle.object
      }
    }
  }

  service_config {
    available_memory                 = each.value.memory
    available_cpu                    = each.value.cpu
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min
    max_instance_count               = each.value.max
    timeout_seconds                  = each.value.timeout_seconds
    service_account_email            = local.function_emails[each.key]
    all_traffic_on_latest_revision   = true
    # Calls of Cloud Tasks and Cloud Scheduler come from within; those of API Gateway do not.
    ingress_settings      = contains(each.value.invoked_by, "gateway") ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    environment_variables = merge(local.environment, { THREADS = tostring(each.value.concurrency) })

    dynamic "secret_environment_variables" {
      for_each = flatten([for secret in each.value.secrets : [for variable in local.secret_variables[secret] : merge(variable, { secret = secret })]])
      content {
        key        = secret_environment_variables.value.name
        project_id = local.project
        secret     = google_secret_manager_secret.this[secret_environment_variables.value.secret].secret_id
        version    = secret_environment_variables.value.version
      }
    }
  }

  # What it needs from its first second on.
  depends_on = [
    google_secret_manager_secret_iam_member.reader,
    google_project_iam_member.database,
    google_cloud_tasks_queue_iam_member.enqueuer,
    google_service_account_iam_member.enqueuer,
    google_firestore_index.this,
    google_firestore_field.this,
  ]
}

# Nobody else: neither allUsers nor allAuthenticatedUsers stands anywhere in this module.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = local.invokers
  project  = local.project
  location = google_cloudfunctions2_function.this[each.value.function].location
  name     = google_cloudfunctions2_function.this[each.value.function].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${local.callers[each.value.caller]}"
}
