# What is kept: the database, its indexes, its backups, the queue.

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

run "a_real_team" {
  command = plan

  assert {
    condition     = google_firestore_database.this.name == "envctl-payments" && google_firestore_database.this.location_id == "europe-west1" && google_firestore_database.this.type == "FIRESTORE_NATIVE"
    error_message = "The database is named, and never the default one."
  }
  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED"
    error_message = "A real team's database is protected from deletion."
  }
  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "A real team's database can be read as of a minute of the last week."
  }
  assert {
    condition     = length(google_firestore_backup_schedule.daily) == 1 && google_firestore_backup_schedule.daily[0].retention == "604800s" && length(google_firestore_backup_schedule.daily[0].daily_recurrence) == 1
    error_message = "A real team is backed up every day, for a week."
  }
  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.this : secret.deletion_protection])
    error_message = "A real team's secrets are protected from deletion."
  }
  assert {
    condition     = terraform_data.guard.input == { name = "envctl-payments", disposable = false }
    error_message = "A real team is not removed by leaving it out."
  }

  # Indexes.
  assert {
    condition     = length(google_firestore_index.this) == length(jsondecode(file("../../../shared/indexes.json")).indexes)
    error_message = "Every composite index is declared."
  }
  assert {
    condition = toset([for index in google_firestore_index.this : jsonencode([index.collection, index.query_scope, [for field in index.fields : [field.field_path, field.order, field.array_config]]])]) == toset([
      for index in jsondecode(file("../../../shared/indexes.json")).indexes :
      jsonencode([index.collectionGroup, index.queryScope, [for field in index.fields : [field.fieldPath, lookup(field, "order", null), lookup(field, "arrayConfig", null)]]])
    ])
    error_message = "The composite indexes are those of shared/indexes.json, their fields in that order."
  }
  assert {
    condition = toset([for field in google_firestore_field.this : "${field.collection}.${field.field} ${length(field.index_config[0].indexes)} ${length(field.ttl_config)}"]) == toset([
      for field in jsondecode(file("../../../shared/indexes.json")).fieldOverrides :
      "${field.collectionGroup}.${field.fieldPath} ${length(field.indexes)} ${lookup(field, "ttl", false) ? 1 : 0}"
    ])
    error_message = "The single fields are those of shared/indexes.json."
  }
  assert {
    condition     = contains([for field in google_firestore_field.this : "${field.collection}.${field.field}" if length(field.ttl_config) == 1], "environments.ttl_at") && length([for field in google_firestore_field.this : field if length(field.ttl_config) == 1]) == length([for field in jsondecode(file("../../../shared/indexes.json")).fieldOverrides : field if lookup(field, "ttl", false)])
    error_message = "What should have been purged, and what means nothing any more, is removed by the database."
  }
  assert {
    condition     = alltrue([for index in google_firestore_index.this : index.database == "envctl-payments"]) && alltrue([for field in google_firestore_field.this : field.database == "envctl-payments"])
    error_message = "Indexes are the team's database's."
  }

  # The queue.
  assert {
    condition     = google_cloud_tasks_queue.this.name == "envctl-payments-tasks" && google_cloud_tasks_queue.this.location == "europe-west1"
    error_message = "The queue is the team's."
  }
  assert {
    condition     = google_cloud_tasks_queue.this.retry_config[0].max_attempts == 20 && google_cloud_tasks_queue.this.retry_config[0].max_retry_duration == "3600s"
    error_message = "Retries end: after twenty attempts and an hour."
  }
  assert {
    condition     = google_cloud_tasks_queue.this.retry_config[0].min_backoff == "1s" && google_cloud_tasks_queue.this.retry_config[0].max_backoff == "300s" && google_cloud_tasks_queue.this.retry_config[0].max_doublings == 8
    error_message = "Retries begin after a second, and are never more than five minutes apart."
  }
  assert {
    condition     = google_cloud_tasks_queue.this.rate_limits[0].max_concurrent_dispatches == 32
    error_message = "No more callbacks at once than the tasks function takes."
  }

  # The sweep.
  assert {
    condition     = google_cloud_scheduler_job.sweep.schedule == "*/5 * * * *" && !google_cloud_scheduler_job.sweep.paused
    error_message = "The sweep runs every five minutes."
  }
  assert {
    condition     = google_cloud_scheduler_job.sweep.http_target[0].uri == "https://envctl-payments-tasks-123456789012.europe-west1.run.app/api/v1/tasks/sweep" && google_cloud_scheduler_job.sweep.http_target[0].http_method == "POST"
    error_message = "It calls the tasks function."
  }
  assert {
    condition     = google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].service_account_email == "envctl-payments-sweep@acme-platform.iam.gserviceaccount.com" && google_cloud_scheduler_job.sweep.http_target[0].oidc_token[0].audience == "https://envctl-payments-tasks-123456789012.europe-west1.run.app"
    error_message = "With a token of its own account, for the tasks function."
  }
}

run "a_disposable_team" {
  command = plan
  variables {
    instance = { disposable = true }
  }
  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_DISABLED"
    error_message = "A disposable team's database can be deleted."
  }
  assert {
    condition     = google_firestore_database.this.deletion_policy == "DELETE"
    error_message = "Its database is deleted, not forgotten."
  }
  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_DISABLED" && length(google_firestore_backup_schedule.daily) == 0
    error_message = "Nothing is kept of a disposable team."
  }
  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.this : !secret.deletion_protection])
    error_message = "Its secrets can be deleted."
  }
  assert {
    condition     = terraform_data.guard.input.disposable
    error_message = "It can be removed."
  }
}

run "another_queue" {
  command = plan
  variables {
    instance = { queue_suffix = "-2" }
  }
  assert {
    condition     = google_cloud_tasks_queue.this.name == "envctl-payments-tasks-2"
    error_message = "A queue's name can be changed: a deleted one's is blocked for 7 days."
  }
  assert {
    condition     = google_cloudfunctions2_function.this["projects"].service_config[0].environment_variables["ENVCTL_QUEUE"] == "projects/acme-platform/locations/europe-west1/queues/envctl-payments-tasks-2"
    error_message = "The functions follow."
  }
}
