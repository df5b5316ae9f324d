"""Resources that are data alone: all properties of each, as CloudFormation has them."""
