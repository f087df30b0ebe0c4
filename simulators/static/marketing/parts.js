// The list of work orders, to do or done.
'use strict';
const OrderList = (source, extra) => ({
  template: `
    <div class="pane">
      <div :class="C.filter === 'grid' ? 'filters filters-grid' : 'filters'">
        <label>工单编号</label><el-input v-model="order" placeholder="请输入工单编号" clearable @keyup.enter="search"/>
        <label>业务类型</label><el-select v-model="kind" placeholder="请选择"><el-option v-for="k in kinds" :key="k" :value="k" :label="k"/></el-select>
        <template v-if="C.filter === 'grid'"><label>台区名称</label><el-input model-value="" placeholder="请输入台区名称" disabled/></template>
        <div class="buttons"><el-button type="primary" @click="search">{{ W.query }}</el-button><el-button @click="reset">{{ W.reset }}</el-button></div>
      </div>
      <div class="pane-grid" v-loading="loading" :element-loading-text="C.loading">
        <el-table :data="rows" height="100%" :stripe="C.zebra" :border="C.border" row-key="number" highlight-current-row>
          <el-table-column v-for="[key, label, width] in columns" :key="key" :prop="key" :label="label" :min-width="width" :align="key === 'index' ? 'center' : 'left'">
            <template #default="{row}">{{ row[key] }}<span v-if="key === 'number' && row.badge" :class="['badge', row.badge === '超' ? 'badge-over' : 'badge-late']">{{ row.badge }}</span></template>
          </el-table-column>
          <el-table-column label="操作" fixed="right" :width="C.size === 'small' ? 104 : 124">
            <template #default="{row}">
              <template v-if="source === 'todo'"><el-button link type="primary" @click="handle(row)">{{ W.handle }}</el-button>
                <el-button v-if="row.transfer" link type="primary" @click="transfer(row)">{{ W.transfer }}</el-button></template>
              <el-button v-else link type="primary" @click="handle(row)">查看</el-button>
            </template>
          </el-table-column>
        </el-table>
      </div>
      <div class="pager"><el-pagination background :layout="C.pager" :total="total" :page-sizes="[10, 20, 50]"
        v-model:current-page="page" v-model:page-size="size" @current-change="load" @size-change="load"/></div>
      <el-dialog v-model="moving" :title="W.transfer" width="400px" :top="C.dialog_top">
        <p>工单编号：{{ moved }}</p><el-input v-model="to" placeholder="请输入接收人"/>
        <template #footer><el-button @click="moving = false">{{ W.cancel }}</el-button><el-button type="primary" @click="move">{{ W.confirm }}</el-button></template>
      </el-dialog>
    </div>`,
  data: () => ({
    source, order: '', kind: '全部', kinds: ['全部', '停电复核', '停复电', '复电复核', '换表', '业扩报装', '抄表异常', '电费核算'],
    rows: [], total: 0, page: 1, size: 10, loading: false, columns: [...C.columns, ...extra], asked: {}, moving: false, moved: '', to: '', turn: 0,
  }),
  mounted() {
    window.Pane = {reload: this.load};
    this.search();
  },
  methods: {
    search() {
      // Only the button takes over what stands in the filters; turning pages keeps the query that was asked.
      this.asked = {order: this.order, kind: this.kind};
      this.page = 1;
      this.load();
    },
    reset() {
      this.order = '';
      this.kind = '全部';
      this.search();
    },
    async load() {
      const turn = ++this.turn;
      this.loading = true;
      try {
        const answer = await look(source, {...this.asked, page: this.page, size: this.size});
        if (turn !== this.turn) return;
        this.show(answer);
        if (answer.reorder_after) setTimeout(() => this.reorder(turn), answer.reorder_after * 1000);
      } catch { /* a dialog says why; the old rows stay */ } finally { if (turn === this.turn) this.loading = false; }
    },
    show(answer) {
      this.total = answer.total;
      this.page = answer.page;
      this.rows = answer.rows;
    },
    async reorder(turn) {
      if (turn !== this.turn) return;
      try {
        const answer = await look(source, {...this.asked, page: this.page, size: this.size, reorder: 1, background: 1});
        if (turn === this.turn) this.show(answer);
      } catch { /* the list stays as it is */ }
    },
    handle(row) {
      window.top.Workbench.open({key: 'detail-' + row.number, label: '工单' + (source === 'todo' ? W.handle : '查看'), url: '/detail?order=' + row.number});
    },
    transfer(row) {
      this.moved = row.number;
      this.to = '';
      this.moving = true;
    },
    async move() {
      this.moving = false;
      try { UI.toast((await act('transfer', {order: this.moved, to: this.to})).message); } catch { /* a dialog says why */ }
    },
  },
});
