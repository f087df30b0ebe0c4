"""Robot 1, 费控复电: second reconnect for every order of 复电复核, archive, check the current, tell people what needs them."""
