# Which settings are refused: one of each kind, tests/infra/terraform/test_settings.py has every bound.

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

run "a_name_that_is_none_is_refused" {
  command = plan
  variables {
    instance = { settings = { grace_second = 60 } }
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

run "above_the_most_is_refused" {
  command = plan
  variables {
    instance = { settings = { grace_seconds = 31536001 } }
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

run "a_broken_number_is_refused" {
  command = plan
  variables {
    instance = { settings = { access_token_seconds = 60.5 } }
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
