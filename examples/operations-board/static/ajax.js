// A small XMLHttpRequest helper with the calling convention of jQuery.

var $ = {};

// How many requests this page has made, for the line at the bottom of the board.
$.requests = 0;

$.createRequest = function () {
  // Internet Explorer 6 has the ActiveX object only.
  return window.XMLHttpRequest ? new XMLHttpRequest() : new ActiveXObject('Microsoft.XMLHTTP');
};

$.parse = function (xhr, dataType) {
  return dataType === 'json' ? JSON.parse(xhr.responseText) : xhr.responseText;
};

/**
 * Sends a GET request: $.ajax({ url, cache, dataType, success(data, status), error(xhr, status) }).
 */
$.ajax = function (options) {
  var xhr = $.createRequest();
  var url = options.url;

  if (options.cache === false) {
    url += (url.indexOf('?') < 0 ? '?' : '&') + '_=' + new Date().getTime();
  }

  function fail(reason) {
    if (options.error) {
      options.error(xhr, reason);
    }
  }

  xhr.open('GET', url, true);
  xhr.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
  if (options.dataType === 'json') {
    xhr.setRequestHeader('Accept', 'application/json, text/javascript, */*');
  }
  xhr.onreadystatechange = function () {
    var data;
    if (xhr.readyState !== 4) {
      return;
    }
    if (xhr.status < 200 || xhr.status >= 300) {
      fail('error');
      return;
    }
    try {
      data = $.parse(xhr, options.dataType);
    } catch (problem) {
      fail('parsererror');
      return;
    }
    if (options.success) {
      options.success(data, 'success');
    }
  };
  $.requests += 1;
  xhr.send(null);
  return xhr;
};
