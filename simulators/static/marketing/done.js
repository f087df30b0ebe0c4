'use strict';
start(OrderList('done', [['archived', '归档时间', 172]]));
