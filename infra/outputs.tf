output "urls" {
  description = "Each team's base URL."
  value       = { for team, instance in module.instance : team => instance.url }
}

output "addresses" {
  description = "What the domain of a team that has one must point to."
  value       = { for team, instance in module.instance : team => instance.address if instance.address != null }
}
