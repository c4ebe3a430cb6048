import { displayName } from './sessions.js';

const SPECIAL = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (character) => SPECIAL[character]);
}

function layout({ title, user, content }) {
  const account = user
    ? `<form action="/logout" method="post" class="inline">Signed in as
        <b>${escapeHtml(displayName(user))}</b>
        <input type="submit" value="Sign out" class="button"></form>`
    : '<a href="/login">Sign in</a>';
  return `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"
  "http://www.w3.org/TR/html4/loose.dtd">
<html lang="en">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>${escapeHtml(title)} - Northgate Warehouse</title>
<link rel="stylesheet" type="text/css" href="/static/site.css">
</head>
<body bgcolor="#e4e8ee">
<table class="frame" width="960" align="center" cellspacing="0" cellpadding="0" border="0">
<tr><td class="banner" bgcolor="#1f3f6e">
  <table width="100%" cellspacing="0" cellpadding="0" border="0"><tr>
    <td><span class="logo">Northgate</span> <span class="site">Warehouse Operations</span></td>
    <td align="right" class="account">${account}</td>
  </tr></table>
</td></tr>
<tr><td class="menu" bgcolor="#c9d4e4"><a href="/">Board</a></td></tr>
<tr><td class="content" bgcolor="#ffffff" valign="top">
${content}
</td></tr>
<tr><td class="footer" bgcolor="#f2f2f2" align="center">
  Northgate Warehouse intranet &middot; Questions? Call the shift office, ext. 214 &middot;
  Best viewed at 1024 x 768
</td></tr>
</table>
</body>
</html>
`;
}

function panel(title, content) {
  return `<table class="panel" width="100%" cellspacing="0" cellpadding="0" border="0">
<tr><th align="left">${title}</th></tr>
<tr><td>${content}</td></tr>
</table>`;
}

function linesTable(lines) {
  const rows = lines.map(
    (line) => `<tr>
  <td>${escapeHtml(line.name)}</td>
  <td align="right">${escapeHtml(line.throughput)}</td>
  <td align="right">${escapeHtml(line.temperature.toFixed(1))}</td>
  <td><span class="${escapeHtml(line.state)}">${escapeHtml(line.state)}</span></td>
</tr>`,
  );
  return `<table class="list" width="100%" cellspacing="0" cellpadding="3" border="0">
<tr><th align="left">Line</th><th align="right">Units/h</th><th align="right">&deg;C</th>
<th align="left">State</th></tr>
${rows.join('\n')}
</table>`;
}

function countsTable(counts) {
  const cells = Object.keys(counts).map(
    (status) => `<td align="center" width="25%">
  <span class="number">${escapeHtml(counts[status])}</span><br>${escapeHtml(status)}</td>`,
  );
  return `<table class="counts" width="100%" cellspacing="0" cellpadding="4" border="0">
<tr>${cells.join('')}</tr></table>`;
}

function ordersTable(orders, user) {
  // Customers are none of a passer-by's business, so they need a login.
  const rows = orders.map(
    (order) => `<tr${order.picker === user ? ' class="mine"' : ''}>
  <td>${escapeHtml(order.id)}</td>
  ${user ? `<td>${escapeHtml(order.customer)}</td>` : ''}
  <td>${escapeHtml(order.item)}</td>
  <td><span class="${escapeHtml(order.status)}">${escapeHtml(order.status)}</span></td>
  ${user ? `<td>${escapeHtml(order.picker)}</td><td align="right">${advanceForm(order)}</td>` : ''}
</tr>`,
  );
  return `<table class="list" width="100%" cellspacing="0" cellpadding="3" border="0">
<tr><th align="left">Order</th>${user ? '<th align="left">Customer</th>' : ''}
<th align="left">Item</th><th align="left">Status</th>
${user ? '<th align="left">Picker</th><th>&nbsp;</th>' : ''}</tr>
${rows.join('\n')}
</table>`;
}

function advanceForm(order) {
  if (order.status === 'shipped') return '&nbsp;';
  return `<form action="/orders/advance" method="post" class="inline">
<input type="hidden" name="id" value="${escapeHtml(order.id)}">
<input type="submit" value="Advance" class="button"></form>`;
}

function newOrderForm() {
  return `<form action="/orders" method="post" class="inline">
<table cellspacing="0" cellpadding="4" border="0"><tr>
<td>Customer</td><td><input type="text" name="customer" size="22" maxlength="60"></td>
<td>Item</td><td><input type="text" name="item" size="28" maxlength="60"></td>
<td><input type="submit" value="Place order" class="button"></td>
</tr></table></form>`;
}

/**
 * Renders the board itself, with the orders in full for a signed-in user only.
 */
export function boardPage({ user, greeting, status, orders }) {
  const intro = user
    ? `<p class="intro" id="greeting">${escapeHtml(greeting)}</p>`
    : `<p class="intro">You are looking at the public board. <a href="/login">Sign in</a>
to see customers and to work on orders.</p>`;
  return layout({
    title: 'Operations board',
    user,
    content: `<h1>Operations board</h1>
${intro}
<table width="100%" cellspacing="0" cellpadding="0" border="0"><tr>
<td valign="top">
${panel('Latest orders', `<div id="orders">${ordersTable(orders, user)}</div>`)}
${user ? panel('New order', newOrderForm()) : ''}
</td>
<td width="14">&nbsp;</td>
<td valign="top" width="322">
${panel(
  'Dock camera',
  `<img src="/camera.png" id="camera" width="320" height="200" border="0"
alt="Dock camera">`,
)}
${panel('Orders by status', `<div id="counts">${countsTable(status.counts)}</div>`)}
${panel('Conveyor lines', `<div id="lines">${linesTable(status.lines)}</div>`)}
</td>
</tr></table>
<table class="state" width="100%" cellspacing="0" cellpadding="4" border="0"><tr>
<td>Board as of <b id="time">${escapeHtml(status.time)}</b></td>
<td>Last update <b id="updated">-</b></td>
<td>XHR requests by this page <b id="requests">0</b></td>
<td align="right" id="message">&nbsp;</td>
</tr></table>
<script type="text/javascript">var signedInUser = '${user ? escapeHtml(user) : ''}';</script>
<script type="text/javascript" src="/static/ajax.js"></script>
<script type="text/javascript" src="/static/board.js"></script>`,
  });
}

/**
 * Renders the login form, again with what was typed when the name is unknown.
 */
export function loginPage({ name = '', failed = false } = {}) {
  const form = `<form action="/login" method="post" class="inline">
<table cellspacing="0" cellpadding="4" border="0">
<tr><td>User name</td>
<td><input type="text" name="user" size="20" maxlength="40" value="${escapeHtml(name)}"></td></tr>
<tr><td>Password</td><td><input type="password" name="password" size="20"></td></tr>
<tr><td>&nbsp;</td><td><input type="submit" value="Sign in" class="button"></td></tr>
</table></form>`;
  return layout({
    title: 'Sign in',
    content: `<h1>Sign in</h1>
<p class="${failed ? 'error' : 'intro'}">${
      failed
        ? 'There is no such user.'
        : 'Use your warehouse user name (for a look around: anna or ben, any password).'
    }</p>
<table width="340" cellspacing="0" cellpadding="0" border="0"><tr><td>
${panel('Your account', form)}
</td></tr></table>`,
  });
}

/**
 * Renders the page for anything that went wrong.
 */
export function errorPage({ title, message, user }) {
  return layout({
    title,
    user,
    content: `<h1>${escapeHtml(title)}</h1>
<p class="error">${escapeHtml(message)}</p>
<p><a href="/">Back to the board</a></p>`,
  });
}
