output "url" {
  description = "The base URL."
  value       = local.base_url
}

output "address" {
  description = "What the domain must point to, if there is one."
  value       = one([for address in google_compute_global_address.this : address.address])
}
