"""The pages about unfit housing: by block for staff, orders and acts for their service, what is published for all."""
