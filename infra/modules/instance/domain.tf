# A domain of the team's own, by a load balancer in front of the gateway. Only if asked for: its
# forwarding rule costs about 18 dollars a month whether or not it is used (docs/cost.md).

locals {
  domain = toset(var.instance.domain == null ? [] : [var.instance.domain])
}

resource "google_compute_global_address" "this" {
  for_each = local.domain
  project  = local.project
  name     = local.name
}

resource "google_compute_region_network_endpoint_group" "this" {
  for_each              = local.domain
  provider              = google-beta
  project               = local.project
  region                = local.gateway_region
  name                  = local.name
  network_endpoint_type = "SERVERLESS"
  serverless_deployment {
    platform = "apigateway.googleapis.com"
    resource = google_api_gateway_gateway.this.gateway_id
  }
}

resource "google_compute_backend_service" "this" {
  for_each              = local.domain
  project               = local.project
  name                  = local.name
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  backend {
    group = google_compute_region_network_endpoint_group.this[each.key].id
  }
}

resource "google_compute_url_map" "this" {
  for_each        = local.domain
  project         = local.project
  name            = local.name
  default_service = google_compute_backend_service.this[each.key].id
}

resource "google_compute_managed_ssl_certificate" "this" {
  for_each = local.domain
  project  = local.project
  name     = "${local.name}-${substr(sha256(each.key), 0, 8)}"
  managed {
    domains = [each.key]
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_target_https_proxy" "this" {
  for_each         = local.domain
  project          = local.project
  name             = local.name
  url_map          = google_compute_url_map.this[each.key].id
  ssl_certificates = [google_compute_managed_ssl_certificate.this[each.key].id]
}

resource "google_compute_global_forwarding_rule" "this" {
  for_each              = local.domain
  project               = local.project
  name                  = local.name
  target                = google_compute_target_https_proxy.this[each.key].id
  ip_address            = google_compute_global_address.this[each.key].id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
