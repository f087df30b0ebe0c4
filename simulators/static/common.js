// What every page needs: calls to its server, the dialogs of the whole window, mounting with the version's size.
'use strict';
const C = window.CONFIG;
const W = C.words;
const PAGE = document.documentElement.dataset.page;
const {ElMessage, ElMessageBox} = ElementPlus;

class CallFailed extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

// The outermost window owns dialogs about the whole system and toasts, so they survive a closing pane.
if (window === window.top) {
  let expiredShown = false;
  window.UI = {
    toast: (message, type = 'success') => ElMessage({message, type, duration: 3000, offset: C.toast_offset}),
    busy: () => ElMessageBox.alert('系统繁忙，请稍后重试', '提示',
      {type: 'warning', confirmButtonText: W.confirm, customClass: 'system-box'}).catch(() => {}),
    expired: () => {
      if (expiredShown) return;
      expiredShown = true;
      ElMessageBox.alert('登录已失效，请重新登录', '提示', {
        type: 'warning', confirmButtonText: W.confirm, showClose: false, closeOnPressEscape: false, customClass: 'system-box',
      }).finally(() => { location.href = '/login'; });
    },
    notice: (notice) => ElMessageBox({
      title: notice.title, message: notice.text, confirmButtonText: notice.button, showCancelButton: false,
      closeOnClickModal: false, customClass: 'system-box notice-box',
    }).catch(() => {}),
  };
  if (PAGE !== 'login') {
    setInterval(async () => {
      if (document.visibilityState !== 'visible' || expiredShown) return;
      try {
        const notice = await call('notice', {background: 1}, 'GET');
        if (notice) window.UI.notice(notice);
      } catch { /* a poll that fails is tried again in a second */ }
    }, 1000);
  }
}
const UI = window.top.UI;

async function call(name, params = {}, method = 'GET') {
  const quiet = Boolean(params.background);
  let answer;
  try {
    const response = method === 'GET'
      ? await fetch(`/api/${name}?${new URLSearchParams(params)}`)
      : await fetch(`/api/${name}`, {method, headers: {'Content-Type': 'application/json'}, body: JSON.stringify(params)});
    answer = await response.json();
  } catch {
    if (!quiet) UI.toast('网络异常，请检查网络连接', 'error');
    throw new CallFailed('network');
  }
  if (answer.code === 'ok') return answer.data;
  if (!quiet && answer.code === 'busy') UI.busy();
  if (!quiet && answer.code === 'session') UI.expired();
  if (!quiet && answer.code === 'refused' && name !== 'login') UI.toast(answer.message, 'error');
  const error = new CallFailed(answer.code);
  error.shown = answer.message;
  throw error;
}
const look = (name, params) => call(name, params, 'GET');
const act = (name, params) => call(name, params, 'POST');

// Confirm dialogs belong to the pane that asks, as in pages in iframes they do. Resolves to true or false.
async function ask(message, title = '提示') {
  try {
    await ElMessageBox.confirm(message, title, {
      type: 'warning', confirmButtonText: W.confirm, cancelButtonText: W.cancel, closeOnClickModal: false,
    });
    return true;
  } catch {
    return false;
  }
}

// Polls faster on a client whose durations are scaled down.
function pollEvery(run, seconds = 1) {
  const timer = setInterval(run, Math.max(200, Math.min(1, C.factor || 0.2) * seconds * 1000));
  window.addEventListener('pagehide', () => clearInterval(timer));
  return timer;
}

async function exportFile(name, params = {}) {
  const response = await fetch(`/api/${name}?${new URLSearchParams(params)}`);
  if ((response.headers.get('Content-Type') || '').includes('json')) {
    const answer = await response.json();
    if (answer.code === 'busy') UI.busy();
    else if (answer.code === 'session') UI.expired();
    return;
  }
  const file = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get('Content-Disposition'))[1];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = decodeURIComponent(file);
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function start(component) {
  const app = Vue.createApp(component);
  app.use(ElementPlus, {locale: window.ElementPlusLocaleZhCn, size: C.size});
  app.config.globalProperties.W = W;
  app.config.globalProperties.C = C;
  return app.mount('#app');
}

const UserMenu = {
  props: ['name', 'post'],
  template: `
    <el-dropdown :trigger="C.user_trigger" @command="run" class="user-menu">
      <span class="user-name"><svg viewBox="0 0 16 16" width="15" height="15"><circle cx="8" cy="5" r="3.2" fill="currentColor"/>
        <path d="M1.8 15c.6-4 2.8-5.6 6.2-5.6s5.600 1.600 6.200 5.600z" fill="currentColor"/></svg>
        {{ name }}<span class="caret"></span></span>
      <template #dropdown><el-dropdown-menu>
        <el-dropdown-item command="info">个人信息</el-dropdown-item>
        <el-dropdown-item command="secret">修改密码</el-dropdown-item>
        <el-dropdown-item command="logout" divided>退出登录</el-dropdown-item>
      </el-dropdown-menu></template>
    </el-dropdown>`,
  methods: {
    async run(command) {
      if (command !== 'logout') { UI.toast('该功能暂未开放', 'info'); return; }
      try { await act('logout'); } finally { location.href = '/login'; }
    },
  },
};

const LoginPage = {
  template: `
    <div class="login">
      <div class="login-title">{{ C.login_title }}<small>{{ C.login_subtitle }}</small></div>
      <div class="login-box">
        <div class="login-head">{{ C.login_head }}</div>
        <el-form :label-position="C.login_labels" label-width="72px" size="large" @submit.prevent>
          <el-form-item label="用户名"><el-input v-model="user" placeholder="请输入用户名" @keyup.enter="go" autocomplete="off"/></el-form-item>
          <el-form-item label="密码"><el-input v-model="password" class="masked" placeholder="请输入密码" @keyup.enter="go" autocomplete="off"/></el-form-item>
          <div class="login-error" v-if="error">{{ error }}</div>
          <el-button type="primary" class="login-button" :loading="busy" @click="go">{{ W.login }}</el-button>
        </el-form>
      </div>
      <div class="login-foot">{{ C.login_foot }}</div>
    </div>`,
  data: () => ({user: '', password: '', error: '', busy: false}),
  methods: {
    async go() {
      if (this.busy) return;
      this.error = '';
      if (!this.user || !this.password) { this.error = '请输入用户名和密码'; return; }
      this.busy = true;
      try {
        await act('login', {user: this.user.trim(), password: this.password});
        location.href = '/main';
      } catch (failure) {
        this.password = '';
        this.error = failure.shown || '登录失败，请重试';
        this.busy = false;
      }
    },
  },
};
