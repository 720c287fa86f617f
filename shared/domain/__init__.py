"""What envctl is about, as pure functions of documents and a moment. Nothing here asks for time or ids."""
