// 采集2.0: tree on the left, tabs, dense grids.
'use strict';
const TREE = [
  {label: '采集监控', children: [{label: '采集成功率', view: 'Rates'}, {label: '采集失败明细', view: 'Failures'}]},
  {label: '数据召测', children: [{label: '透抄', view: 'PassThrough'}, {label: '参数下发', view: ''}]},
  {label: '档案管理', children: [{label: '终端档案', view: ''}, {label: '电表档案', view: ''}]},
];
const Nothing = {template: '<div class="content"><el-empty description="暂无数据"/></div>'};
start({
  components: {UserMenu, Rates, Failures, PassThrough, Nothing},
  template: `
    <div class="shell" v-if="me">
      <div class="head"><div class="brand">{{ C.brand }}<small>{{ C.brand_long }} {{ C.release }}</small></div><div class="spring"></div><UserMenu :name="me.name"/></div>
      <div class="shell-body">
        <div class="panel side"><div class="panel-head">{{ C.tree_title }}</div>
          <el-tree :data="tree" node-key="label" :default-expanded-keys="C.tree_open" highlight-current @node-click="pick"/></div>
        <div class="panel shell-main">
          <div class="ext-tabs"><div v-for="tab in tabs" :key="tab.label" :class="['ext-tab', {on: tab.label === active}]" @click="active = tab.label">{{ tab.label }}<i v-if="tab.view !== 'Home'" @click.stop="close(tab)">×</i></div></div>
          <template v-for="tab in tabs" :key="tab.label">
            <div v-if="tab.view === 'Home'" v-show="tab.label === active" class="content"><div class="welcome">欢迎使用{{ C.brand_long }}</div></div>
            <component v-else v-show="tab.label === active" :is="tab.view || 'Nothing'"/>
          </template>
        </div>
      </div>
    </div>`,
  data: () => ({me: null, tree: TREE, active: '首页', tabs: [{label: '首页', view: 'Home'}]}),
  async mounted() {
    try { this.me = await call('me', {background: 1}); } catch { location.href = '/login'; }
  },
  methods: {
    pick(node) {
      if (node.children) return;
      if (!this.tabs.some((tab) => tab.label === node.label)) this.tabs.push(node);
      this.active = node.label;
    },
    close(tab) {
      this.tabs = this.tabs.filter((other) => other !== tab);
      if (this.active === tab.label) this.active = this.tabs[this.tabs.length - 1].label;
    },
  },
});
