"""The page of freight: a flow of goods declared, by road, by river and by rail."""
