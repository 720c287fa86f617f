# What a function is, and which function maps are refused.

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

run "as_the_map_says" {
  command = plan
  assert {
    condition = alltrue([for name, function in google_cloudfunctions2_function.this : (
      function.service_config[0].available_memory == var.functions[name].memory
      && function.service_config[0].available_cpu == "1"
      && function.service_config[0].max_instance_request_concurrency == 8
      && function.service_config[0].timeout_seconds == 25
      && function.service_config[0].min_instance_count == 0
      && function.service_config[0].max_instance_count == var.functions[name].max
    )])
    error_message = "Memory, CPU, concurrency, timeout and instances are the map's."
  }
  assert {
    condition     = alltrue([for name, function in google_cloudfunctions2_function.this : function.build_config[0].entry_point == name && function.build_config[0].runtime == var.functions[name].runtime])
    error_message = "A function is the folder of its name."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.build_config[0].source[0].storage_source[0].object == "envctl-0.zip" && endswith(function.build_config[0].service_account, "build@acme-platform.iam.gserviceaccount.com")])
    error_message = "All are built from the one bundle, as the build's account."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.labels == tomap({ envctl_team = "payments" })])
    error_message = "What a team costs can be told by its label."
  }
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

run "the_team_name_with_capitals_is_refused" {
  command = plan
  variables {
    team = "Payments"
  }
  expect_failures = [var.team]
}

run "the_team_name_with_a_dash_at_its_end_is_refused" {
  command = plan
  variables {
    team = "payments-"
  }
  expect_failures = [var.team]
}

run "the_team_name_of_17_characters_is_refused" {
  command = plan
  variables {
    team = "a2345678901234567"
  }
  expect_failures = [var.team]
}

run "the_team_name_with_a_digit_first_is_refused" {
  command = plan
  variables {
    team = "1password"
  }
  expect_failures = [var.team]
}

run "the_team_name_with_two_dashes_is_refused" {
  command = plan
  variables {
    team = "a--b"
  }
  expect_failures = [var.team]
}
