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

run "a_name_that_is_none_is_refused" {
  command = plan
  variables {
    instance = { settings = { grace_second = 60 } }
  }
  expect_failures = [var.instance]
}

run "a_variable_for_a_name_is_refused" {
  command = plan
  variables {
    instance = { settings = { ENVCTL_GRACE_SECONDS = 60 } }
  }
  expect_failures = [var.instance]
}

run "no_number_is_refused" {
  command = plan
  variables {
    instance = { settings = { grace_seconds = "an hour" } }
  }
  expect_failures = [var.instance]
}

run "zero_is_refused" {
  command = plan
  variables {
    instance = { settings = { grace_seconds = 0 } }
  }
  expect_failures = [var.instance]
}

run "below_zero_is_refused" {
  command = plan
  variables {
    instance = { settings = { pending_seconds = -1 } }
  }
  expect_failures = [var.instance]
}

run "above_the_most_is_refused" {
  command = plan
  variables {
    instance = { settings = { grace_seconds = 31536001 } }
  }
  expect_failures = [var.instance]
}

run "hours_above_the_most_is_refused" {
  command = plan
  variables {
    instance = { settings = { maximum_ttl_hours = 8761 } }
  }
  expect_failures = [var.instance]
}

run "a_default_above_the_maximum_is_refused" {
  command = plan
  variables {
    instance = { settings = { default_ttl_hours = 48, maximum_ttl_hours = 24 } }
  }
  expect_failures = [var.instance]
}

run "a_default_above_the_usual_maximum_is_refused" {
  command = plan
  variables {
    instance = { settings = { default_ttl_hours = 721 } }
  }
  expect_failures = [var.instance]
}

run "a_maximum_below_the_usual_default_is_refused" {
  command = plan
  variables {
    instance = { settings = { maximum_ttl_hours = 23 } }
  }
  expect_failures = [var.instance]
}

run "a_token_of_59_seconds_is_refused" {
  command = plan
  variables {
    instance = { settings = { access_token_seconds = 59 } }
  }
  expect_failures = [var.instance]
}

run "a_token_of_more_than_a_day_is_refused" {
  command = plan
  variables {
    instance = { settings = { access_token_seconds = 86401 } }
  }
  expect_failures = [var.instance]
}

run "a_broken_number_is_refused" {
  command = plan
  variables {
    instance = { settings = { access_token_seconds = 60.5 } }
  }
  expect_failures = [var.instance]
}

run "a_speed_below_the_least_is_refused" {
  command = plan
  variables {
    instance = { settings = { speed = 0.009 } }
  }
  expect_failures = [var.instance]
}

run "a_speed_above_the_most_is_refused" {
  command = plan
  variables {
    instance = { settings = { speed = 100001 } }
  }
  expect_failures = [var.instance]
}

run "a_quota_above_the_most_is_refused" {
  command = plan
  variables {
    instance = { settings = { quota_projects = 1000001 } }
  }
  expect_failures = [var.instance]
}

run "more_held_requests_than_half_of_all_are_refused" {
  command = plan
  variables {
    instance = { settings = { held_requests = 5 } }
  }
  expect_failures = [var.instance]
}

run "more_logins_than_three_quarters_of_all_are_refused" {
  command = plan
  variables {
    instance = { settings = { logins_at_once = 7 } }
  }
  expect_failures = [var.instance]
}

run "scenarios_neither_on_nor_off_are_refused" {
  command = plan
  variables {
    instance = { settings = { scenarios = "some" } }
  }
  expect_failures = [var.instance]
}

run "a_level_that_is_none_is_refused" {
  command = plan
  variables {
    instance = { settings = { log_level = "DEBUG" } }
  }
  expect_failures = [var.instance]
}

run "a_domain_with_a_scheme_is_refused" {
  command = plan
  variables {
    instance = { settings = { environment_domain = "https://x.example.com" } }
  }
  expect_failures = [var.instance]
}

run "a_domain_that_is_too_long_is_refused" {
  command = plan
  variables {
    instance = { settings = { environment_domain = join("", [for i in range(191) : "a"]) } }
  }
  expect_failures = [var.instance]
}

run "a_zone_for_a_region_is_refused" {
  command = plan
  variables {
    instance = { region = "europe-west1-b" }
  }
  expect_failures = [var.instance]
}

run "a_region_without_gateways_is_refused" {
  command = plan
  variables {
    instance = { region = "europe-north1" }
  }
  expect_failures = [var.instance]
}

run "a_label_in_capitals_is_refused" {
  command = plan
  variables {
    instance = { labels = { Team = "x" } }
  }
  expect_failures = [var.instance]
}

run "the_label_that_is_ours_is_refused" {
  command = plan
  variables {
    instance = { labels = { envctl_team = "x" } }
  }
  expect_failures = [var.instance]
}

run "a_budget_of_nothing_is_refused" {
  command = plan
  variables {
    instance = { budget = 0 }
  }
  expect_failures = [var.instance]
}

run "a_domain_without_a_dot_is_refused" {
  command = plan
  variables {
    instance = { domain = "localhost" }
  }
  expect_failures = [var.instance]
}

run "an_address_that_is_none_is_refused" {
  command = plan
  variables {
    instance = { notify = ["ops"] }
  }
  expect_failures = [var.instance]
}

run "a_region_without_gateways_and_a_gateway_elsewhere" {
  command = plan
  variables {
    instance = { region = "europe-north1", gateway_region = "europe-west1" }
  }
  assert {
    condition     = google_firestore_database.this.location_id == "europe-north1" && google_api_gateway_gateway.this.region == "europe-west1"
    error_message = "The gateway may be elsewhere."
  }
}
