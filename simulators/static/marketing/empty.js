'use strict';
start({template: '<div class="pane"><el-empty description="暂无数据"/></div>'});
