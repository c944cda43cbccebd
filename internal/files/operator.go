package files

import "context"

// All returns the files of a conversation, or of all where that is empty, for the
// operator and without their texts.
func (s *Service) All(ctx context.Context, conversation string) ([]File, error) {
	if conversation != "" {
		if _, err := s.core.Conversation(ctx, conversation); err != nil {
			return nil, err
		}
	}
	return s.store.Files(ctx, conversation)
}

// Kept returns a file with its text and the changes that are kept of it, oldest first,
// for the operator.
func (s *Service) Kept(ctx context.Context, conversation string, n Name) (File, []Change, error) {
	path, err := cleanPath(n.Path)
	if err != nil {
		return File{}, nil, err
	}
	if _, err := s.core.Conversation(ctx, conversation); err != nil {
		return File{}, nil, err
	}
	n.Path = path
	return s.store.FileHistory(ctx, conversation, n)
}
