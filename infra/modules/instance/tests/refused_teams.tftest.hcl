# Which teams are refused.

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

run "a_suffix_that_makes_another_teams_name_is_refused" {
  command = plan
  variables {
    instance = { queue_suffix = "-search" }
  }
  expect_failures = [var.instance]
}

run "a_queue_suffix_without_a_dash_is_refused" {
  command = plan
  variables {
    instance = { queue_suffix = "2" }
  }
  expect_failures = [var.instance]
}

run "backups_of_a_hundred_days_are_refused" {
  command = plan
  variables {
    instance = { backup_days = 100 }
  }
  expect_failures = [var.instance]
}

run "no_key_is_refused" {
  command = plan
  variables {
    instance = { signing_keys = [] }
  }
  expect_failures = [var.instance]
}

run "three_keys_are_refused" {
  command = plan
  variables {
    instance = { signing_keys = ["a", "b", "c"] }
  }
  expect_failures = [var.instance]
}

run "a_key_twice_is_refused" {
  command = plan
  variables {
    instance = { signing_keys = ["a", "a"] }
  }
  expect_failures = [var.instance]
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
