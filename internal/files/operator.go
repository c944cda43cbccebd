package files

import "context"

// All returns, for the operator, the files of a conversation, or of all conversations
// if that is "", without their texts. The error may be bridge.ErrNotFound.
func (s *Service) All(ctx context.Context, conversation string) ([]File, error) {
	if conversation != "" {
		if _, err := s.core.Conversation(ctx, conversation); err != nil {
			return nil, err
		}
	}
	return s.store.Files(ctx, conversation)
}

// Kept returns, for the operator, a file with its text and its kept changes, oldest
// first. The error may be ErrNoFile, bridge.ErrNotFound, or a bridge.InvalidError for
// the path.
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
