# The one base URL: what is behind it, and what it costs.

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

run "the_gateway" {
  command = plan

  assert {
    condition     = jsondecode(base64decode(google_api_gateway_api_config.this.openapi_documents[0].document[0].contents)).swagger == "2.0" && jsondecode(base64decode(google_api_gateway_api_config.this.openapi_documents[0].document[0].contents))["x-google-allow"] == "configured"
    error_message = "API Gateway reads OpenAPI 2.0, and serves what it names."
  }
  assert {
    condition     = toset(flatten([for path, operations in jsondecode(base64decode(google_api_gateway_api_config.this.openapi_documents[0].document[0].contents)).paths : [for operation in operations : operation["x-google-backend"].address]])) == toset([for name in keys(var.functions) : "https://envctl-payments-${name}-123456789012.europe-west1.run.app" if name != "tasks"])
    error_message = "Every function of the team's is behind it but the tasks function, and no other team's."
  }
  assert {
    condition     = alltrue(flatten([for path, operations in jsondecode(base64decode(google_api_gateway_api_config.this.openapi_documents[0].document[0].contents)).paths : [for operation in operations : operation["x-google-backend"].jwt_audience == operation["x-google-backend"].address && operation["x-google-backend"].path_translation == "APPEND_PATH_TO_ADDRESS" && operation["x-google-backend"].deadline > 25]]))
    error_message = "It keeps paths, waits longer than a function runs, and its token is for the function that it calls."
  }
  assert {
    condition     = google_api_gateway_gateway.this.gateway_id == "envctl-payments" && google_api_gateway_gateway.this.region == "europe-west1"
    error_message = "The gateway is the team's."
  }
  assert {
    condition     = can(regex("^envctl-payments-[0-9a-f]{12}$", google_api_gateway_api_config.this.api_config_id))
    error_message = "A configuration's name follows from its content."
  }

  # Nothing has a fixed price.
  assert {
    condition     = length(google_compute_global_forwarding_rule.this) + length(google_compute_global_address.this) + length(google_compute_backend_service.this) + length(google_compute_url_map.this) + length(google_compute_target_https_proxy.this) + length(google_compute_managed_ssl_certificate.this) + length(google_compute_region_network_endpoint_group.this) == 0
    error_message = "There is no load balancer unless a team has a domain."
  }
  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].min_instance_count == 0 && function.service_config[0].vpc_connector == null])
    error_message = "No function idles, and none has a connector."
  }
  assert {
    condition     = length(google_monitoring_uptime_check_config.health) == 0 && length(google_billing_budget.this) == 0
    error_message = "Uptime checks and budgets are asked for."
  }
  assert {
    condition     = length(google_monitoring_alert_policy.this) <= 4
    error_message = "Each alert costs something every month."
  }
}

run "a_domain" {
  command = plan
  variables {
    instance = { domain = "api.payments.example.com" }
  }
  assert {
    condition     = google_compute_managed_ssl_certificate.this["api.payments.example.com"].managed[0].domains[0] == "api.payments.example.com"
    error_message = "The domain has a certificate."
  }
  assert {
    condition     = google_compute_region_network_endpoint_group.this["api.payments.example.com"].serverless_deployment[0].platform == "apigateway.googleapis.com" && google_compute_region_network_endpoint_group.this["api.payments.example.com"].serverless_deployment[0].resource == "envctl-payments"
    error_message = "The load balancer leads to the gateway."
  }
  assert {
    condition     = output.url == "https://api.payments.example.com"
    error_message = "The base URL is the domain's."
  }
}
