"""Requests, answers and templates, whatever the view."""
