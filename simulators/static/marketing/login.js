'use strict';
start(LoginPage);
