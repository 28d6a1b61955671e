"""Pages for people: self-contained HTML, with plots as inline SVG and nothing from outside."""
