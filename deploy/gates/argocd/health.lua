-- Health of a DatabaseMigration for Argo CD: resource.customizations.health.athanor.dev_DatabaseMigration in argocd-cm.
-- Degraded is what somebody must mend; Suspended is what waits for a person or a time.
local function condition(kind)
  for _, one in ipairs((obj.status or {}).conditions or {}) do
    if one.type == kind then
      return one
    end
  end
  return {}
end

local ready = condition("Ready")
local message = ready.message or ""

if obj.metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "is being deleted"}
end
-- Without this an old Ready would pass for the new declaration, and a resource that no operator has seen for Healthy.
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not seen generation " .. tostring(obj.metadata.generation) .. " yet"}
end
if condition("Stalled").status == "True" then
  return {status = "Degraded", message = condition("Stalled").message or message}
end
if ready.status == "True" then
  return {status = "Healthy", message = message}
end
local suspended = {
  Suspended = true, PlanPublished = true, NotSelected = true, -- nothing runs until the declaration changes
  ApprovalRequired = true, ApprovalsUntrusted = true,
  OutsideWindow = true,
}
if suspended[ready.reason or ""] then
  return {status = "Suspended", message = message}
end
return {status = "Progressing", message = message}
