"""What messages say about images: references, chats, sightings, and the reader that finds them."""
