// 自定义发送短信, only for accounts that may.
'use strict';
start({
  template: `
    <div class="pane" v-if="denied"><div class="denied"><b>无权限</b>当前账号无权限访问该功能，请联系系统管理员。</div></div>
    <div class="pane" v-else v-loading="loading" :element-loading-text="C.loading">
      <div class="block-title">自定义发送短信</div>
      <el-form class="sms-form" label-width="80px">
        <el-form-item label="接收号码"><el-input v-model="number" placeholder="请输入接收号码" maxlength="11" style="width: 260px"/></el-form-item>
        <el-form-item label="短信内容"><el-input v-model="text" type="textarea" :rows="3" maxlength="70" show-word-limit placeholder="请输入短信内容"/></el-form-item>
        <el-form-item><el-button type="primary" :loading="working" @click="send">{{ W.send }}</el-button><el-button @click="number = text = ''">{{ W.reset }}</el-button></el-form-item>
      </el-form>
      <div class="block-title">发送记录<div class="spring"></div><el-button size="small" @click="load">{{ W.refresh }}</el-button></div>
      <div class="pane-grid"><el-table class="sms-grid" :data="rows" height="100%" :stripe="C.zebra" :border="C.border" empty-text="暂无发送记录">
        <el-table-column v-for="[key, label, width, wide] in columns" :key="key" :prop="key" :label="label" :width="wide ? '' : width" :min-width="width"/>
      </el-table></div>
      <div class="pager"><el-pagination background layout="total, prev, pager, next" :total="total" :page-size="5" v-model:current-page="page" @current-change="load"/></div>
    </div>`,
  data: () => ({
    denied: false, loading: false, working: false, number: '', text: '', rows: [], total: 0, page: 1,
    columns: C.version === '2.3'
      ? [['index', '序号', 64], ['number', '接收号码', 130], ['text', '短信内容', 420, true], ['sent', '发送时间', 184], ['status', '状态', 100]]
      : [['index', '序号', 54], ['sent', '发送时间', 172], ['number', '接收号码', 124], ['status', '状态', 90], ['text', '短信内容', 420, true]],
  }),
  mounted() { this.load(); },
  methods: {
    async load() {
      this.loading = true;
      try {
        const answer = await look('sms', {page: this.page});
        this.rows = answer.rows;
        this.total = answer.total;
      } catch (failure) { this.denied = this.denied || failure.code === 'denied'; } finally { this.loading = false; }
    },
    async send() {
      if (!/^1\d{10}$/.test(this.number.trim())) { UI.toast('请输入正确的手机号码', 'warning'); return; }
      if (!this.text.trim()) { UI.toast('请输入短信内容', 'warning'); return; }
      if (!await ask(`确定向 ${this.number.trim()} 发送该短信吗？`, '发送确认')) return;
      this.working = true;
      try {
        UI.toast((await act('send', {number: this.number, text: this.text})).message);
        this.number = '';
        this.text = '';
        this.page = 1;
        await this.load();
      } catch { /* a dialog says why; what was typed stays */ } finally { this.working = false; }
    },
  },
});
