# Who may do what: one account per function, and each of them only its part of one team.

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

run "plan" {
  command = plan

  # Functions have accounts of their own.
  assert {
    condition     = { for name, function in google_cloudfunctions2_function.this : name => "serviceAccount:${function.service_config[0].service_account_email}" } == { for name, function in var.functions : name => "serviceAccount:envctl-payments-${function.account}@acme-platform.iam.gserviceaccount.com" }
    error_message = "Every function runs as its own account."
  }
  assert {
    condition     = length(google_service_account.function) == length(var.functions)
    error_message = "There is an account for every function."
  }

  # Documents.
  assert {
    condition     = toset(keys(google_project_iam_member.database)) == toset(keys(var.functions))
    error_message = "Every function may use the database."
  }
  assert {
    condition     = alltrue([for grant in google_project_iam_member.database : join(" or ", grant.condition[*].expression) == "resource.name == \"projects/acme-platform/databases/envctl-payments\""])
    error_message = "A role on documents is bound to the team's database."
  }
  assert {
    condition     = { for name, grant in google_project_iam_member.database : name => grant.role } == { for name, function in var.functions : name => function.database_role }
    error_message = "Roles on documents are those of the function map."
  }
  assert {
    condition     = { for name, grant in google_project_iam_member.database : name => grant.member } == { for name, function in var.functions : name => "serviceAccount:envctl-payments-${function.account}@acme-platform.iam.gserviceaccount.com" }
    error_message = "Roles on documents go to the functions' own accounts."
  }

  # Tasks.
  assert {
    condition     = keys(google_cloud_tasks_queue_iam_member.enqueuer) == ["deployments", "environments", "projects", "tasks"]
    error_message = "Only functions that enqueue may create tasks."
  }
  assert {
    condition     = alltrue([for grant in google_cloud_tasks_queue_iam_member.enqueuer : grant.name == "envctl-payments-tasks" && grant.role == "roles/cloudtasks.enqueuer"])
    error_message = "They may create tasks in the team's queue, and nothing else."
  }
  assert {
    condition     = alltrue([for name, grant in google_cloud_tasks_queue_iam_member.enqueuer : grant.member == { for name, function in var.functions : name => "serviceAccount:envctl-payments-${function.account}@acme-platform.iam.gserviceaccount.com" }[name]])
    error_message = "The right to create tasks goes to the functions' own accounts."
  }
  assert {
    condition     = keys(google_service_account_iam_member.enqueuer) == keys(google_cloud_tasks_queue_iam_member.enqueuer)
    error_message = "Who may create tasks may act as the account that they are made as, nobody else."
  }
  assert {
    condition     = alltrue([for grant in google_service_account_iam_member.enqueuer : grant.service_account_id == "projects/acme-platform/serviceAccounts/envctl-payments-queue@acme-platform.iam.gserviceaccount.com" && grant.role == "roles/iam.serviceAccountUser"])
    error_message = "They may act as the tasks account and no other."
  }
  assert {
    condition     = alltrue([for name, grant in google_service_account_iam_member.enqueuer : grant.member == { for name, function in var.functions : name => "serviceAccount:envctl-payments-${function.account}@acme-platform.iam.gserviceaccount.com" }[name]])
    error_message = "The right to act as it goes to the functions' own accounts."
  }

  # Invokers.
  assert {
    condition = { for name in keys(var.functions) : name => sort([for key, grant in google_cloud_run_v2_service_iam_member.invoker : grant.member if grant.name == "envctl-payments-${name}"]) } == {
      for name in keys(var.functions) : name => name == "tasks" ? ["serviceAccount:envctl-payments-queue@acme-platform.iam.gserviceaccount.com", "serviceAccount:envctl-payments-sweep@acme-platform.iam.gserviceaccount.com"] : ["serviceAccount:envctl-payments-gate@acme-platform.iam.gserviceaccount.com"]
    }
    error_message = "The tasks function is invoked by the tasks account and the scheduler's, every other one by the gateway alone."
  }
  assert {
    condition     = alltrue([for grant in google_cloud_run_v2_service_iam_member.invoker : grant.role == "roles/run.invoker" && startswith(grant.member, "serviceAccount:")])
    error_message = "Nobody may do more than invoke, and nobody is everybody."
  }
  assert {
    condition     = { for name, function in google_cloudfunctions2_function.this : name => function.service_config[0].ingress_settings } == { for name in keys(var.functions) : name => name == "tasks" ? "ALLOW_INTERNAL_ONLY" : "ALLOW_ALL" }
    error_message = "The tasks function is not reached from outside."
  }
  assert {
    condition     = google_api_gateway_api_config.this.gateway_config[0].backend_config[0].google_service_account == "envctl-payments-gate@acme-platform.iam.gserviceaccount.com"
    error_message = "The gateway calls as its own account."
  }

  # Secrets.
  assert {
    condition     = alltrue([for grant in google_secret_manager_secret_iam_member.reader : grant.role == "roles/secretmanager.secretAccessor" && contains(["envctl-payments-signing", "envctl-payments-identity"], grant.secret_id)])
    error_message = "Functions may read the team's secrets, and nothing else."
  }
  assert {
    condition     = toset([for grant in google_secret_manager_secret_iam_member.reader : "${grant.member} ${grant.secret_id}"]) == toset(flatten([for name, function in var.functions : [for secret in function.secrets : "${ { for name, function in var.functions : name => "serviceAccount:envctl-payments-${function.account}@acme-platform.iam.gserviceaccount.com" }[name]} envctl-payments-${secret}"]]))
    error_message = "A function may read the secrets that the function map says."
  }
}
