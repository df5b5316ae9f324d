"""Reading cdk.out: manifest, templates, resources and what identifies them."""
