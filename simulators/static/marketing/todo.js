'use strict';
start(OrderList('todo', []));
