resource "google_firestore_database" "this" {
  project                           = local.project
  name                              = local.name
  location_id                       = local.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  delete_protection_state           = var.instance.disposable ? "DELETE_PROTECTION_DISABLED" : "DELETE_PROTECTION_ENABLED"
  point_in_time_recovery_enablement = var.instance.disposable ? "POINT_IN_TIME_RECOVERY_DISABLED" : "POINT_IN_TIME_RECOVERY_ENABLED"
  deletion_policy                   = "DELETE" # forgotten instead, it would be there still, and its name taken
}

resource "google_firestore_backup_schedule" "daily" {
  count     = var.instance.disposable ? 0 : 1
  project   = local.project
  database  = google_firestore_database.this.name
  retention = "${var.instance.backup_days * 86400}s"
  daily_recurrence {}
}

# The indexes, from the one file that the tests hold every query against. A key says all that an index
# is: of two that swap places in the file neither is made anew.
locals {
  composites = {
    for index in var.indexes.indexes :
    "${index.collectionGroup}:${join(",", [for field in index.fields : "${field.fieldPath} ${lower(coalesce(field.order, field.arrayConfig))}"])}" => index
  }
  overrides = { for override in var.indexes.fieldOverrides : "${override.collectionGroup}:${override.fieldPath}" => override }
}

resource "google_firestore_index" "this" {
  for_each    = local.composites
  project     = local.project
  database    = google_firestore_database.this.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope
  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = fields.value.fieldPath
      order        = fields.value.order
      array_config = fields.value.arrayConfig
    }
  }
}

resource "google_firestore_field" "this" {
  for_each   = local.overrides
  project    = local.project
  database   = google_firestore_database.this.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath
  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        query_scope  = indexes.value.queryScope
        order        = indexes.value.order
        array_config = indexes.value.arrayConfig
      }
    }
  }
  dynamic "ttl_config" {
    for_each = each.value.ttl ? [true] : []
    content {}
  }
}

# IAM knows databases only by a condition on the project's policy: without it the role is for all of them.
resource "google_project_iam_member" "database" {
  for_each = var.functions
  project  = local.project
  role     = each.value.database_role
  member   = "serviceAccount:${local.function_emails[each.key]}"
  condition {
    title      = "${local.name} only"
    expression = "resource.name == \"projects/${local.project}/databases/${google_firestore_database.this.name}\""
  }
}
