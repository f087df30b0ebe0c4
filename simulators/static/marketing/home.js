'use strict';
start({
  template: `
    <div class="pane home">
      <div class="cards"><div class="card" v-for="[name, n] in cards">{{ name }}<b>{{ n }}</b></div></div>
      <div class="news"><div class="block-title">通知公告</div><p v-for="[text, day] in news"><span>{{ text }}</span><span>{{ day }}</span></p></div>
    </div>`,
  data: () => ({
    cards: [['今日受理', '128'], ['在途工单', '346'], ['超期预警', '7'], ['满意率', '99.6%']],
    news: [['关于做好迎峰度冬期间优质服务工作的通知', '11-18'], ['营销2.0系统例行维护公告', '11-15'], ['关于规范费控复电业务处理时限的通知', '11-12'],
      ['数字化供电所全业务工单功能上线说明', '11-06']],
  }),
});
