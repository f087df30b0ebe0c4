// 数字化供电所（全业务工单）: tree, tabs, each tab an iframe.
'use strict';
const TREE = [
  {label: '业务工单管理', children: [
    {label: '工单管理', children: [
      {label: '待办工单', page: 'todo'}, {label: '已办工单', page: 'done'}, {label: '工单查询', page: 'empty'}, {label: '工单派发', page: 'empty'}]},
    {label: '工单监控', children: [{label: '超期工单', page: 'empty'}, {label: '工单统计', page: 'empty'}]},
  ]},
  {label: '基础信息管理', children: [{label: '台区档案', page: 'empty'}, {label: '人员档案', page: 'empty'}]},
  {label: '绩效评价', children: [{label: '工单评价', page: 'empty'}]},
];
start({
  components: {UserMenu},
  template: `
    <div class="shell" v-if="me">
      <div class="head"><div class="brand">数字化供电所<small>全业务工单</small></div><div class="spring"></div>
        <span class="post">{{ me.post || '未选择岗位' }}</span><UserMenu :name="me.name"/></div>
      <div class="shell-body">
        <div class="tree-side">
          <el-input v-model="filter" placeholder="请输入关键字过滤" clearable/>
          <el-tree ref="tree" :data="tree" node-key="label" :default-expanded-keys="C.tree_open" :filter-node-method="match" highlight-current @node-click="pick"/>
        </div>
        <div class="shell-main">
          <el-tabs class="work-tabs" v-model="active" :type="C.tabs" @tab-remove="close">
            <el-tab-pane v-for="tab in tabs" :key="tab.key" :name="tab.key" :label="tab.label" :closable="tab.key !== 'home'"/></el-tabs>
          <div class="frames"><div v-for="tab in tabs" :key="tab.key" v-show="tab.key === active"><iframe :src="tab.url" :name="tab.key"></iframe></div></div>
        </div>
      </div>
    </div>`,
  data: () => ({me: null, filter: '', tree: TREE, active: 'home', tabs: [{key: 'home', label: '首页', url: '/home'}]}),
  watch: {filter(value) { this.$refs.tree.filter(value); }},
  async mounted() {
    try { this.me = await call('me', {background: 1}); } catch { location.href = '/login'; return; }
    window.Workbench = {open: this.open, close: this.close, show: (key) => { this.active = key; }, reload: this.reload};
  },
  methods: {
    match: (value, node) => !value || node.label.includes(value),
    pick(node) { if (node.page) this.open({key: node.page === 'empty' ? node.label : node.page, label: node.label, url: '/' + node.page}); },
    open(tab) {
      if (!this.tabs.some((t) => t.key === tab.key)) this.tabs.push(tab);
      this.active = tab.key;
    },
    close(key) {
      const index = this.tabs.findIndex((t) => t.key === key);
      this.tabs.splice(index, 1);
      if (this.active === key) this.active = this.tabs.some((t) => t.key === 'todo') ? 'todo' : 'home';
    },
    reload(key) {
      const frame = document.querySelector(`iframe[name="${key}"]`);
      frame?.contentWindow.Pane?.reload();
    },
  },
});
