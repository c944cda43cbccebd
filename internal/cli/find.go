package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/lazyregexp"
)

const idPrefix = "conv_"

var beginning = lazyregexp.New(`^[0-9a-f]{1,16}$`)

// checkConversation checks the form of a conversation's name: its ID or the beginning
// of it, with or without "conv_".
func checkConversation(name string) error {
	if beginning().MatchString(strings.TrimPrefix(name, idPrefix)) {
		return nil
	}
	return usagef("%s is not a conversation: give its id, conv_ and 16 hex digits, or the beginning of it", echo(name))
}

// findConversation returns the conversation that name refers to.
func findConversation(ctx context.Context, s *bridge.Service, name string) (bridge.Overview, error) {
	if err := checkConversation(name); err != nil {
		return bridge.Overview{}, err
	}
	if bridge.IsConversationID(name) {
		return s.Conversation(ctx, name)
	}
	all, err := s.Conversations(ctx)
	if err != nil {
		return bridge.Overview{}, err
	}
	start := idPrefix + strings.TrimPrefix(name, idPrefix)
	var found []bridge.Overview
	for _, o := range all {
		if strings.HasPrefix(o.ID, start) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return bridge.Overview{}, fmt.Errorf("%w: none begins with %s", bridge.ErrNotFound, start)
	case 1:
		return found[0], nil
	}
	return bridge.Overview{}, usagef("%d conversations begin with %s, such as %s and %s: give more of the id",
		len(found), start, found[0].ID, found[1].ID)
}

// findConversations returns the IDs of the conversations that names refer to.
func findConversations(ctx context.Context, s *bridge.Service, names []string) (ids []string, err error) {
	for _, name := range names {
		found, err := findConversation(ctx, s, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found.ID)
	}
	return ids, nil
}

// shortIDLength is the minimum number of digits of an ID that people see.
const shortIDLength = 4

// shortID returns a function that shortens conversation IDs for people, to a length at
// which they are unambiguous among all. Output for programs has full IDs.
func (s screen) shortID(all []bridge.Overview) func(id string) string {
	if s.width == 0 {
		return cleantext.Field
	}
	length := len(idPrefix) + shortIDLength
	known := make([]string, len(all))
	for i, o := range all {
		known[i] = o.ID
	}
	slices.Sort(known)
	for i := 1; i < len(known); i++ {
		for length < len(known[i]) && strings.HasPrefix(known[i], cutBytes(known[i-1], length)) {
			length++
		}
	}
	return func(id string) string { return cleantext.Field(cutBytes(id, length)) }
}

// shortID returns that function for all conversations in the store.
func (a *app) shortID(ctx context.Context, s *bridge.Service) (func(id string) string, error) {
	if a.screen().width == 0 {
		return cleantext.Field, nil
	}
	all, err := s.Conversations(ctx)
	return a.screen().shortID(all), err
}

// roles returns the roles of a conversation's sessions on one line.
func roles(o bridge.Overview) string {
	all := make([]string, len(o.Sessions))
	for i, s := range o.Sessions {
		all[i] = cleantext.Field(s.Role)
	}
	return strings.Join(all, " / ")
}

func cutBytes(text string, length int) string { return text[:min(length, len(text))] }

// completeConversation completes conversation IDs for the shell.
func completeConversation(a *app) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
		if len(args) > 0 || a.configure(cmd) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		_ = a.withStore(cmd.Context(), func(s *bridge.Service) error {
			all, err := s.Conversations(cmd.Context())
			for _, o := range all {
				ids = append(ids, cobra.CompletionWithDesc(cleantext.Field(o.ID), roles(o)))
			}
			return err
		})
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}
