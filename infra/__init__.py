"""What brings envctl to Google Cloud."""
