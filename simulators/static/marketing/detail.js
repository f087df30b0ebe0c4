// One work order: facts, commands, what was sent.
'use strict';
const ORDER = new URLSearchParams(location.search).get('order');
const Buttons = {
  props: ['detail', 'working'],
  emits: ['run'],
  template: `
    <div class="detail-buttons actions">
      <template v-if="C.detail_buttons === 'bottom'">
        <el-button type="danger" :disabled="off" @click="$emit('run', 'disconnect')">{{ W.disconnect }}</el-button>
        <el-button type="primary" :disabled="off" @click="$emit('run', 'reconnect')">{{ W.reconnect }}</el-button>
        <el-button @click="$emit('run', 'preview')">{{ W.preview }}</el-button>
        <el-button type="primary" :disabled="off || !detail.may_archive" @click="$emit('run', 'archive')">{{ W.archive }}</el-button>
        <el-button @click="$emit('run', 'back')">{{ W.back }}</el-button>
      </template>
      <template v-else>
        <el-button @click="$emit('run', 'back')">{{ W.back }}</el-button>
        <el-button @click="$emit('run', 'preview')">{{ W.preview }}</el-button>
        <el-button type="primary" :disabled="off" @click="$emit('run', 'reconnect')">{{ W.reconnect }}</el-button>
        <el-button type="primary" :disabled="off" @click="$emit('run', 'disconnect')">{{ W.disconnect }}</el-button>
        <el-button type="success" :disabled="off || !detail.may_archive" @click="$emit('run', 'archive')">{{ W.archive }}</el-button>
      </template>
    </div>`,
  computed: {off() { return this.working || this.detail.archived; }},
};
start({
  components: {Buttons},
  template: `
    <div class="pane" v-loading="loading" :element-loading-text="C.loading">
      <template v-if="detail">
        <Buttons v-if="C.detail_buttons === 'top'" :detail="detail" :working="working" @run="run"/>
        <div class="block-title">工单信息</div>
        <el-descriptions :column="C.detail_columns" border>
          <el-descriptions-item v-for="[key, label] in C.fields" :key="key" :label="label">
            <span :class="key === 'status' ? tint : ''">{{ detail[key] }}</span></el-descriptions-item>
        </el-descriptions>
        <div class="block-title">执行记录<div class="spring"></div><el-button size="small" @click="load(false)">{{ W.refresh }}</el-button></div>
        <div class="pane-grid">
          <el-table :data="detail.commands" height="100%" :stripe="C.zebra" :border="C.border" empty-text="暂无执行记录">
            <el-table-column prop="index" label="序号" width="70" align="center"/>
            <el-table-column prop="command" label="指令" width="130"/>
            <el-table-column prop="issued" label="下发时间" width="190"/>
            <el-table-column prop="result" label="执行结果" min-width="200"/>
          </el-table>
        </div>
        <Buttons v-if="C.detail_buttons === 'bottom'" :detail="detail" :working="working" @run="run"/>
      </template>
    </div>`,
  data: () => ({detail: null, loading: false, working: false}),
  computed: {
    tint() {
      const status = this.detail.status;
      return {已复电: 'status-on', 在用: 'status-on', 停电: 'status-off', 复电失败: 'status-off'}[status] || 'status-run';
    },
  },
  mounted() {
    this.load(false);
    pollEvery(() => { if (this.detail && !this.loading && !document.hidden) this.load(true); });
  },
  methods: {
    async load(background) {
      if (!background) this.loading = true;
      try {
        this.detail = await look('order', background ? {order: ORDER, background: 1} : {order: ORDER});
      } catch (failure) {
        if (!background && !this.detail && failure.code === 'busy') this.leave();
      } finally { if (!background) this.loading = false; }
    },
    leave() {
      window.top.Workbench.close('detail-' + ORDER);
      window.top.Workbench.reload('todo');
    },
    async run(what) {
      if (what === 'back') { this.leave(); return; }
      if (what === 'preview') {
        try { ElMessageBox.alert((await look('preview', {order: ORDER})).text, '送电预览', {confirmButtonText: '关闭'}).catch(() => {}); } catch { /* said */ }
        return;
      }
      const question = {
        reconnect: '确定对用户编号 <b>%c</b>（工单编号 <b>%o</b>）下发复电指令吗？',
        disconnect: '确定对用户编号 <b>%c</b>（工单编号 <b>%o</b>）下发停电指令吗？',
        archive: '确定将用户编号 <b>%c</b> 的工单（工单编号 <b>%o</b>）归档吗？',
      }[what].replace('%c', this.detail.customer).replace('%o', this.detail.number);
      const title = {reconnect: '复电确认', disconnect: '停电确认', archive: '归档确认'}[what];
      if (!await this.sure(question, title)) return;
      this.working = true;
      try {
        UI.toast((await act(what, {order: ORDER, customer: this.detail.customer})).message);
        if (what === 'archive') { this.leave(); return; }
        await this.load(true);
      } catch { /* a dialog says why */ } finally { this.working = false; }
    },
    async sure(message, title) {
      try {
        await ElMessageBox.confirm(message, title, {
          type: 'warning', confirmButtonText: W.confirm, cancelButtonText: W.cancel, closeOnClickModal: false, dangerouslyUseHTMLString: true,
          customClass: 'act-box',
        });
        return true;
      } catch { return false; }
    },
  },
});
