// The three views of 采集2.0.
'use strict';
const Rates = {
  template: `
    <div class="content"><div class="tools"><label>统计日期</label><el-date-picker v-model="day" type="date" value-format="YYYY-MM-DD" :clearable="false"/>
      <el-button type="primary" @click="load">{{ W.query }}</el-button><el-button @click="save">{{ W.export }}</el-button></div>
      <div class="grow" v-loading="loading" :element-loading-text="C.loading"><el-table :data="rows" height="100%" stripe :border="C.border">
        <el-table-column prop="index" label="序号" width="60"/><el-table-column prop="station" label="供电所" min-width="160"/>
        <el-table-column prop="due" label="应采户数" min-width="100"/><el-table-column prop="good" label="成功户数" min-width="100"/>
        <el-table-column prop="failed" label="失败户数" min-width="100"/><el-table-column prop="rate" label="采集成功率" min-width="110"/>
      </el-table></div></div>`,
  data: () => ({rows: [], loading: false, day: new Date().toISOString().slice(0, 10)}),
  mounted() { this.load(); },
  methods: {
    async load() {
      this.loading = true;
      try { this.rows = (await look('rates')).rows; } catch { /* a dialog says why */ } finally { this.loading = false; }
    },
    save() { exportFile('rates_export'); },
  },
};
const Failures = {
  template: `
    <div class="content"><div class="tools"><label>供电所</label><el-select v-model="station"><el-option v-for="s in ['全部', ...stations]" :key="s" :value="s" :label="s"/></el-select>
      <el-button type="primary" @click="search">{{ W.query }}</el-button><el-button @click="save">{{ W.export }}</el-button></div>
      <div class="grow" v-loading="loading" :element-loading-text="C.loading"><el-table :data="rows" height="100%" stripe :border="C.border">
        <el-table-column v-for="[key, label, width] in columns" :key="key" :prop="key" :label="label" :min-width="width"/></el-table></div>
      <div class="pager"><el-pagination layout="total, sizes, prev, pager, next" :total="total" :page-sizes="[20, 50, 100]" v-model:current-page="page" v-model:page-size="size"
        @current-change="load" @size-change="load"/></div></div>`,
  data: () => ({
    rows: [], total: 0, page: 1, size: 20, loading: false, station: '全部', asked: '全部', stations: [],
    columns: [['index', '序号', 54], ['customer', '用户编号', 110], ['name', '用户名称', 160], ['station', '供电所', 110], ['area', '台区名称', 130],
      ['asset', '电表资产号', 190], ['terminal', '终端地址', 110], ['reason', '失败原因', 90]],
  }),
  mounted() { this.load(); },
  methods: {
    search() { this.asked = this.station; this.page = 1; this.load(); },
    async load() {
      this.loading = true;
      try { Object.assign(this, await look('failures', {station: this.asked, page: this.page, size: this.size})); } catch { /* said */ } finally { this.loading = false; }
    },
    save() { exportFile('failures_export', {station: this.asked}); },
  },
};
const PassThrough = {
  template: `
    <div class="content">
      <div class="tools"><label>用户编号</label><el-input v-model="customer" placeholder="请输入用户编号" clearable @keyup.enter="search"/>
        <el-button type="primary" @click="search">{{ W.query }}</el-button>
        <template v-if="C.tools === 'top'"><div class="spring"></div><label>数据项</label>
          <el-select v-model="item" placeholder="请选择"><el-option v-for="i in items" :key="i" :value="i" :label="i"/></el-select>
          <el-button type="primary" :loading="working" @click="read">{{ W.read }}</el-button></template></div>
      <div class="stack">
        <div class="panel upper"><div class="panel-head">{{ W.meters }}</div>
          <div class="grow" v-loading="loading" :element-loading-text="C.loading"><el-table :data="rows" height="100%" stripe :border="C.border" empty-text="暂无数据" row-key="customer" @selection-change="chosen = $event">
            <el-table-column type="selection" width="44"/>
            <el-table-column v-for="[key, label, width] in C.meter_columns" :key="key" :prop="key" :label="label" :min-width="width"/></el-table></div>
          <div class="tools" v-if="C.tools === 'middle'" style="border-bottom: 0; border-top: 1px solid var(--line)"><label>数据项</label>
            <el-select v-model="item" placeholder="请选择"><el-option v-for="i in items" :key="i" :value="i" :label="i"/></el-select>
            <el-button type="primary" :loading="working" @click="read">{{ W.read }}</el-button></div>
        </div>
        <div class="panel lower"><div class="panel-head">{{ W.result }}<div class="spring"></div><el-button size="small" @click="refresh">{{ W.refresh }}</el-button></div>
          <div class="grow"><el-table :data="readings" height="100%" stripe :border="C.border" empty-text="暂无数据">
            <el-table-column v-for="[key, label, width] in C.reading_columns" :key="key" :prop="key" :label="label" :min-width="width"/></el-table></div></div>
      </div></div>`,
  data: () => ({customer: '', item: '', items: ['电流', '电压', '正向有功总电能'], rows: [], chosen: [], readings: [], loading: false, working: false}),
  mounted() {
    this.refresh();
    pollEvery(() => { if (this.readings.some((r) => r.status === '执行中')) this.refresh(); });
  },
  methods: {
    async search() {
      if (!this.customer.trim()) { UI.toast('请输入用户编号', 'warning'); return; }
      this.loading = true;
      try { this.rows = (await look('meters', {customer: this.customer.trim()})).rows; } catch { /* said */ } finally { this.loading = false; }
    },
    async refresh() {
      try { this.readings = (await look('readings', {background: 1})).rows; } catch { /* the next poll tries again */ }
    },
    async read() {
      if (!this.chosen.length) { UI.toast('请先勾选需要透抄的用户', 'warning'); return; }
      if (!this.item) { UI.toast('请选择数据项', 'warning'); return; }
      this.working = true;
      try {
        UI.toast((await act('read', {customers: this.chosen.map((row) => row.customer), item: this.item})).message);
        await this.refresh();
      } catch { /* a dialog says why */ } finally { this.working = false; }
    },
  },
};
