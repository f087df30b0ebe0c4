// Main page: post, notice, menu; content in an iframe.
'use strict';
const MENU = [
  {name: '首页', page: 'home'},
  {name: '客户服务', items: [
    {name: '业务受理', page: 'empty'}, {name: '客户档案查询', page: 'empty'},
    {name: '短信管理', items: [{name: '自定义发送短信', page: 'sms'}, {name: '短信模板管理', page: 'empty'}]},
  ]},
  {name: '计费结算', items: [{name: '电费核算', page: 'empty'}, {name: '电费发行', page: 'empty'}, {name: '费控策略管理', page: 'empty'}]},
  {name: '数字化运营', items: [{name: '数字化供电所（全业务工单）', window: '/workbench'}, {name: '运营监控看板', page: 'empty'}]},
];
const Item = {
  name: 'Item',
  props: ['item', 'path'],
  template: `
    <el-sub-menu v-if="item.items" :index="path"><template #title>{{ item.name }}</template>
      <Item v-for="sub in item.items" :item="sub" :path="path + '/' + sub.name" :key="sub.name"/></el-sub-menu>
    <el-menu-item v-else :index="path">{{ item.name }}</el-menu-item>`,
};
const NOTICE = '各单位：为保障费控复电业务及时、准确办理，请严格按照时限要求处理待办工单，复电前务必核对用户编号与工单编号，'
  + '严禁对非本工单用户下发指令。系统操作全程留痕，请妥善保管账号密码。';

start({
  components: {Item, UserMenu},
  template: `
    <div class="shell" v-if="me">
      <div class="head">
        <div class="brand">{{ C.brand }}<small>{{ C.brand_long }} {{ C.release }}</small></div>
        <el-menu v-if="C.menu === 'top'" mode="horizontal" :ellipsis="false" :default-active="path" :menu-trigger="C.menu_trigger" @select="go">
          <Item v-for="item in menu" :item="item" :path="item.name" :key="item.name"/></el-menu>
        <div class="spring"></div>
        <span class="post" v-if="me.post && C.menu === 'left'">{{ me.post }}</span>
        <UserMenu :name="me.name"/>
      </div>
      <div class="shell-body">
        <div class="aside" v-if="C.menu === 'left'"><el-menu :default-active="path" @select="go">
          <Item v-for="item in menu" :item="item" :path="item.name" :key="item.name"/></el-menu></div>
        <div class="shell-main">
          <div class="crumbs">当前位置：{{ path.split('/').join(' > ') }}</div>
          <div class="frames"><iframe :src="'/' + page" :key="path + visits"></iframe></div>
        </div>
      </div>
      <el-dialog v-model="choosing" :title="W.choose_post" width="430px" :top="C.dialog_top" :show-close="false" :close-on-click-modal="false" :close-on-press-escape="false">
        <el-radio-group v-model="post" class="post-list"><el-radio v-for="p in me.posts" :value="p" :key="p">{{ p }}</el-radio></el-radio-group>
        <template #footer><el-button type="primary" :loading="saving" @click="choose">{{ W.confirm }}</el-button></template>
      </el-dialog>
      <el-dialog v-model="noticing" :title="W.notice" width="560px" :top="C.dialog_top" :show-close="false" :close-on-click-modal="false" :close-on-press-escape="false">
        <div class="notice-text">{{ notice }}</div>
        <template #footer><el-button type="primary" :disabled="left > 0" @click="known">{{ W.known }}{{ left > 0 ? '(' + left + ')' : '' }}</el-button></template>
      </el-dialog>
    </div>`,
  data: () => ({me: null, menu: MENU, path: '首页', page: 'home', visits: 0, choosing: false, noticing: false, post: '', saving: false, left: 1, notice: NOTICE}),
  async mounted() {
    try { this.me = await call('me', {background: 1}); } catch { location.href = '/login'; return; }
    if (!this.me.post) this.choosing = true;
    else if (!this.me.noticed) this.tell();
  },
  methods: {
    async choose() {
      if (!this.post) { UI.toast('请选择岗位', 'warning'); return; }
      this.saving = true;
      try {
        this.me.post = (await act('post', {post: this.post})).post;
        this.choosing = false;
        this.tell();
      } catch { /* a dialog says why; the choice stays open */ } finally { this.saving = false; }
    },
    tell() {
      this.left = 1;
      this.noticing = true;
      setTimeout(() => { this.left = 0; }, 1000 * Math.min(1, Math.max(C.factor, 0.2)));
    },
    async known() {
      this.noticing = false;
      try { await act('noticed'); } catch { /* asked again at the next load */ }
    },
    go(path) {
      let item = {items: MENU};
      for (const name of path.split('/')) item = item.items.find((sub) => sub.name === name);
      if (item.window) { window.open(item.window, '_blank'); return; }
      this.path = path;
      this.page = item.page;
      this.visits += 1;
    },
  },
});
