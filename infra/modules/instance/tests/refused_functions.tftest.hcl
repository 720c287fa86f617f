# Which function maps are refused.

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

run "an_instance_that_idles_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { min = 1 }) })
  }
  expect_failures = [var.functions]
}

run "concurrency_of_one_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { concurrency = 1 }) })
  }
  expect_failures = [var.functions]
}

run "half_a_cpu_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { cpu = "0.5" }) })
  }
  expect_failures = [var.functions]
}

run "a_timeout_above_the_dispatch_deadline_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { timeout_seconds = 60 }) })
  }
  expect_failures = [var.functions]
}

run "a_role_over_everything_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { database_role = "roles/datastore.owner" }) })
  }
  expect_failures = [var.functions]
}

run "an_unknown_secret_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { secrets = ["signing", "identity", "root"] }) })
  }
  expect_failures = [var.functions]
}

run "a_caller_that_is_nobody_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { invoked_by = ["allUsers"] }) })
  }
  expect_failures = [var.functions]
}

run "a_second_function_of_the_queue_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { invoked_by = ["queue", "sweep"] }) })
  }
  expect_failures = [var.functions]
}

run "an_api_function_that_the_sweep_calls_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { invoked_by = ["gateway", "sweep"] }) })
  }
  expect_failures = [var.functions]
}

run "an_account_of_two_functions_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { account = "proj" }) })
  }
  expect_failures = [var.functions]
}

run "the_gateways_account_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { auth = merge(jsondecode(file("../../functions.json")).auth, { account = "gate" }) })
  }
  expect_failures = [var.functions]
}

run "a_name_with_a_dash_is_refused" {
  command = plan
  variables {
    functions = merge(jsondecode(file("../../functions.json")), { "log-in" = merge(jsondecode(file("../../functions.json")).auth, { account = "login" }) })
  }
  expect_failures = [var.functions]
}
