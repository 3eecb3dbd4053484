package channels

// Traces are what is kept of a customer of one integration.
type Traces struct {
	IntegrationID string
	// Recipients are the customer's, as Address.Recipients says.
	Recipients []string
	// Requests were sent to the customer.
	Requests []string
	// Media are stored files, ProviderMedia received ones by the provider's id, stored or not.
	Media, ProviderMedia []string
}

// Recipients returns all names of the recipient: a WhatsApp user may have been written to by either id.
func (a Address) Recipients() []string {
	if a.WhatsApp == nil {
		return []string{a.Recipient()}
	}
	var names []string
	for _, name := range []string{a.WhatsApp.UserID, a.WhatsApp.Phone} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
