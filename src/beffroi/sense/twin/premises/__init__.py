"""The premises of a town: what each lot is used for, whether someone is there, who says so and when."""
