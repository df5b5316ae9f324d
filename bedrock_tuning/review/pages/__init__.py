"""The review as pages: HTML, Markdown, pictures and comparison."""
