package scim

import (
	"net/http"
	"strings"
)

// discover answers what the server can do (RFC 7644 section 4).
func (c *call) discover(what, rest string, deeper bool) error {
	if c.r.URL.Query().Has("filter") {
		return &fault{http.StatusForbidden, "", "what the server can do cannot be filtered"}
	}
	if what == "ServiceProviderConfig" {
		if deeper {
			return c.unknown()
		}
		write(c.w, http.StatusOK, c.providerConfig())
		return nil
	}
	all := c.schemas()
	if what == "ResourceTypes" {
		all = c.resourceTypes()
	}
	if !deeper {
		list := make([]any, len(all))
		for i := range all {
			list[i] = all[i]
		}
		write(c.w, http.StatusOK, listResponse{[]string{urnList}, len(all), 1, len(all), list})
		return nil
	}
	for _, one := range all {
		if id, _ := one["id"].(string); strings.EqualFold(id, rest) {
			write(c.w, http.StatusOK, one)
			return nil
		}
	}
	return c.unknown()
}

// providerConfig is honest: what is not supported is not said to be.
func (c *call) providerConfig() map[string]any {
	no := map[string]any{"supported": false}
	yes := map[string]any{"supported": true}
	return map[string]any{
		"schemas":        []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":          yes,
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": true, "maxResults": maxCount},
		"changePassword": no,
		"sort":           no,
		"etag":           yes,
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "A token of the source, made by an administrator",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750",
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": c.base + "/ServiceProviderConfig"},
	}
}

func (c *call) schemas() []map[string]any {
	var out []map[string]any
	for _, def := range []*schemaDef{&c.user.core, c.user.extension, &c.group.core} {
		out = append(out, map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"},
			"id":      def.ID, "name": def.Name, "description": def.Description, "attributes": def.Attributes,
			"meta": map[string]any{"resourceType": "Schema", "location": c.base + "/Schemas/" + def.ID},
		})
	}
	return out
}

func (c *call) resourceTypes() []map[string]any {
	var out []map[string]any
	for _, rt := range []*resourceType{c.user, c.group} {
		extensions := []any{}
		if rt.extension != nil {
			extensions = append(extensions, map[string]any{"schema": rt.extension.ID, "required": false})
		}
		id := string(rt.kind)
		out = append(out, map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"},
			"id":      id, "name": id, "endpoint": "/" + rt.endpoint, "description": rt.about,
			"schema": rt.core.ID, "schemaExtensions": extensions,
			"meta": map[string]any{"resourceType": "ResourceType", "location": c.base + "/ResourceTypes/" + id},
		})
	}
	return out
}
