# A team's settings reach every function under the name that shared/config.py validates, within its bounds.

mock_provider "google" {}
mock_provider "google-beta" {}
mock_provider "random" {}

variables {
  project   = { id = "acme-platform", number = "123456789012" }
  prefix    = "envctl"
  team      = "payments"
  instance  = {}
  functions = jsondecode(file("../../functions.json"))
  indexes   = jsondecode(file("../../../shared/indexes.json"))
  bundle    = { bucket = "source", object = "envctl-0.zip" }
  build     = { account = "projects/acme-platform/serviceAccounts/build@acme-platform.iam.gserviceaccount.com", repository = "projects/acme-platform/locations/europe-west1/repositories/images" }
}

run "nothing_set" {
  command = plan
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : toset(keys(function.service_config[0].environment_variables)) == toset(["ENVCTL_DATABASE", "ENVCTL_PROJECT", "ENVCTL_QUEUE", "ENVCTL_SCHEDULER_ACCOUNT", "ENVCTL_TASKS_ACCOUNT", "ENVCTL_TASKS_URL", "THREADS"])])
    error_message = "Only what has no default is set."
  }
}

run "every_setting_at_its_bounds" {
  command = plan
  variables {
    instance = { settings = {
      access_token_seconds = 60, canceling_seconds = 0.001, default_ttl_hours = 8760, maximum_ttl_hours = 8760, deleting_seconds = 31536000
      environment_domain   = "preview.payments.example.com", grace_seconds = 31536000, log_level = "ERROR", pending_seconds = 1, provisioning_seconds = 1
      running_seconds      = 1, tombstone_seconds = 31536000, deadline_seconds = 31536000, scenarios = false, speed = 100000
      quota_projects       = 0, quota_environments = 1000000, held_requests = 4, logins_at_once = 6
    } }
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : alltrue([for name, value in var.instance.settings : lookup(function.service_config[0].environment_variables, "ENVCTL_${upper(name)}", "") == value])])
    error_message = "Every setting reaches every function."
  }
}

run "a_region_without_gateways_and_a_gateway_elsewhere" {
  command = plan
  variables {
    instance = { region = "europe-north1", gateway_region = "europe-west1" }
  }
  assert {
    condition     = google_api_gateway_gateway.this.region == "europe-west1"
    error_message = "The gateway may be elsewhere."
  }
  assert {
    condition     = toset(concat([google_firestore_database.this.location_id, google_cloud_tasks_queue.this.location, google_cloud_scheduler_job.sweep.region], [for function in google_cloudfunctions2_function.this : function.location])) == toset(["europe-north1"])
    error_message = "Everything else is where the team is."
  }
}
