// Keeps the board up to date by asking the server every few seconds.

(function () {
  var STATUS_INTERVAL = 2000;
  var ORDERS_INTERVAL = 3000;
  var CAMERA_INTERVAL = 2000;
  var shown = {};
  var ordersTimer;

  function byId(id) {
    return document.getElementById(id);
  }

  function escape(value) {
    return String(value)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      .replace(/'/g, '&#39;');
  }

  function show(id, html) {
    // Replacing a button between mouse down and mouse up would swallow the click.
    if (shown[id] !== html) {
      shown[id] = html;
      byId(id).innerHTML = html;
    }
  }

  function two(number) {
    return (number < 10 ? '0' : '') + number;
  }

  function updated() {
    var now = new Date();
    show(
      'updated',
      two(now.getHours()) + ':' + two(now.getMinutes()) + ':' + two(now.getSeconds())
    );
    show('message', '&nbsp;');
  }

  function noAnswer() {
    show('message', '<span class="error">No answer from the server</span>');
  }

  function badge(name) {
    return '<span class="' + escape(name) + '">' + escape(name) + '</span>';
  }

  function table(className, padding, rows) {
    return (
      '<table class="' +
      className +
      '" width="100%" cellspacing="0" cellpadding="' +
      padding +
      '" border="0">' +
      rows +
      '</table>'
    );
  }

  function showLines(lines) {
    var rows =
      '<tr><th align="left">Line</th><th align="right">Units/h</th>' +
      '<th align="right">&deg;C</th><th align="left">State</th></tr>';
    var i;
    for (i = 0; i < lines.length; i += 1) {
      rows +=
        '<tr><td>' +
        escape(lines[i].name) +
        '</td>' +
        '<td align="right">' +
        escape(lines[i].throughput) +
        '</td>' +
        '<td align="right">' +
        escape(lines[i].temperature.toFixed(1)) +
        '</td>' +
        '<td>' +
        badge(lines[i].state) +
        '</td></tr>';
    }
    show('lines', table('list', 3, rows));
  }

  function showCounts(counts) {
    var cells = '';
    var status;
    for (status in counts) {
      if (counts.hasOwnProperty(status)) {
        cells +=
          '<td align="center" width="25%"><span class="number">' +
          escape(counts[status]) +
          '</span><br>' +
          escape(status) +
          '</td>';
      }
    }
    show('counts', table('counts', 4, '<tr>' + cells + '</tr>'));
  }

  function advanceForm(order) {
    if (order.status === 'shipped') {
      return '&nbsp;';
    }
    return (
      '<form action="/orders/advance" method="post" class="inline">' +
      '<input type="hidden" name="id" value="' +
      escape(order.id) +
      '">' +
      '<input type="submit" value="Advance" class="button"></form>'
    );
  }

  function showOrders(orders, user) {
    var rows =
      '<tr><th align="left">Order</th><th align="left">Customer</th>' +
      '<th align="left">Item</th><th align="left">Status</th>' +
      '<th align="left">Picker</th><th>&nbsp;</th></tr>';
    var i;
    for (i = 0; i < orders.length; i += 1) {
      rows +=
        '<tr' +
        (orders[i].picker === user ? ' class="mine"' : '') +
        '>' +
        '<td>' +
        escape(orders[i].id) +
        '</td>' +
        '<td>' +
        escape(orders[i].customer) +
        '</td>' +
        '<td>' +
        escape(orders[i].item) +
        '</td>' +
        '<td>' +
        badge(orders[i].status) +
        '</td>' +
        '<td>' +
        escape(orders[i].picker) +
        '</td>' +
        '<td align="right">' +
        advanceForm(orders[i]) +
        '</td></tr>';
    }
    // Internet Explorer cannot set the innerHTML of a tbody, so the table is made anew.
    show('orders', table('list', 3, rows));
  }

  function pollStatus() {
    $.ajax({
      url: '/api/status',
      cache: false,
      dataType: 'json',
      success: function (status) {
        show('time', escape(status.time));
        showCounts(status.counts);
        showLines(status.lines);
        updated();
      },
      error: noAnswer
    });
    show('requests', $.requests);
  }

  function pollOrders() {
    // The server tags this answer, so the browser may keep it and ask whether it has changed.
    $.ajax({
      url: '/api/orders',
      dataType: 'json',
      success: function (answer) {
        show('greeting', escape(answer.greeting));
        showOrders(answer.orders, answer.user);
        updated();
      },
      error: function (xhr) {
        if (xhr.status === 401) {
          clearInterval(ordersTimer);
          show('greeting', 'Your session has ended. <a href="/login">Sign in</a> again.');
        } else {
          noAnswer();
        }
      }
    });
    show('requests', $.requests);
  }

  function reloadCamera() {
    byId('camera').src = '/camera.png?_=' + new Date().getTime();
  }

  setInterval(pollStatus, STATUS_INTERVAL);
  setInterval(reloadCamera, CAMERA_INTERVAL);
  if (signedInUser) {
    ordersTimer = setInterval(pollOrders, ORDERS_INTERVAL);
  }
})();
